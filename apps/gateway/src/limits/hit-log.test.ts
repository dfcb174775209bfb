import { describe, expect, it } from 'vitest'
import { HitLog } from './hit-log.ts'

describe('HitLog', () => {
  it('has a line for the first hit, and one in ten seconds for all that follow', () => {
    let now = 0
    const log = new HitLog(() => now)
    expect(log.hit('p', 'ada')).toBe(1)
    for (let i = 0; i < 50; i += 1) expect(log.hit('p', 'ada')).toBeUndefined()
    expect(log.hit('p', 'bob')).toBe(1)
    expect(log.hit('q', 'ada')).toBe(1)
    now = 10_000
    expect(log.hit('p', 'ada')).toBe(51)
    expect(log.hit('p', 'ada')).toBeUndefined()
  })

  it('remembers so many subjects and no more', () => {
    const log = new HitLog(() => 0)
    for (let i = 0; i <= 1_000; i += 1) log.hit('p', `subject ${i}`)
    expect(log.hit('p', 'subject 1')).toBeUndefined()
    expect(log.hit('p', 'subject 0')).toBe(1)
  })
})
