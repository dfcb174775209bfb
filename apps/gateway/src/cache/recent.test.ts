import { describe, expect, it } from 'vitest'
import { Recent } from './recent.ts'

describe('Recent', () => {
  it('remembers what is asked for again and again, however many come', () => {
    const recent = new Recent<number>(10)
    recent.set('often', 1)
    for (let n = 0; n < 1_000; n += 1) {
      recent.set(`once ${n}`, n)
      expect(recent.get('often')).toBe(1)
    }
  })

  it('forgets what was not asked for while twice as many came', () => {
    const recent = new Recent<number>(10)
    recent.set('once', 1)
    for (let n = 0; n < 20; n += 1) recent.set(`other ${n}`, n)
    expect(recent.get('once')).toBeUndefined()
    expect(recent.get('other 19')).toBe(19)
  })
})
