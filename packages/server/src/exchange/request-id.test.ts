import { describe, expect, it } from 'vitest'
import { acceptRequestId, newRequestId } from './request-id.ts'

describe('acceptRequestId', () => {
  it('accepts up to 128 harmless characters', () => {
    expect(acceptRequestId('a')).toBe('a')
    expect(acceptRequestId('Req_1.2-3')).toBe('Req_1.2-3')
    expect(acceptRequestId('x'.repeat(128))).toBe('x'.repeat(128))
  })

  it('refuses all else', () => {
    for (const value of [undefined, '', 'x'.repeat(129), 'a b', 'a\n', 'a,b', '../é', 'a"b']) {
      expect(acceptRequestId(value)).toBeUndefined()
    }
  })
})

describe('newRequestId', () => {
  it('makes well-formed ids that never repeat, over many refills of the pool', () => {
    const ids = new Set(Array.from({ length: 20_000 }, newRequestId))
    expect(ids.size).toBe(20_000)
    for (const id of ids) expect(id).toMatch(/^req_[A-Za-z0-9]{22}$/)
    expect(acceptRequestId(newRequestId())).toBeDefined()
  })

  it('uses every character about as often', () => {
    const counts = new Map<string, number>()
    for (let i = 0; i < 5000; i++) {
      for (const char of newRequestId().slice(4)) counts.set(char, (counts.get(char) ?? 0) + 1)
    }
    expect(counts.size).toBe(62)
    const mean = (5000 * 22) / 62
    for (const count of counts.values()) expect(Math.abs(count - mean)).toBeLessThan(mean * 0.2)
  })
})
