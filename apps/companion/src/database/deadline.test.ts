import { describe, expect, it } from 'vitest'
import { createDeadline, within } from './deadline.ts'

const exceeded = expect.objectContaining({ code: 'deadline_exceeded' })

describe('createDeadline', () => {
  it('is none without options', () => {
    const deadline = createDeadline({})
    expect(deadline.signal).toBeUndefined()
    expect(deadline.remainingMs()).toBeUndefined()
    deadline.check()
  })

  it('counts down, and never below a millisecond', () => {
    const deadline = createDeadline({ timeoutMs: 60_000 })
    expect(deadline.remainingMs()).toBeLessThanOrEqual(60_000)
    expect(createDeadline({ timeoutMs: 1e-9 }).remainingMs()).toBe(1)
  })

  it.each([0, -1, Number.NaN])('refuses %d milliseconds', (timeoutMs) => {
    expect(() => createDeadline({ timeoutMs })).toThrow(exceeded)
  })

  it('is over once its time has passed or its caller has left', () => {
    const caller = new AbortController()
    const left = createDeadline({ timeoutMs: 60_000, signal: caller.signal })
    left.check()
    caller.abort()
    expect(() => left.check()).toThrow(exceeded)
    expect(() => createDeadline({ timeoutMs: 1e-9 }).check()).toThrow(exceeded)
  })
})

describe('within', () => {
  it('settles as its promise does while there is time', async () => {
    const { signal } = new AbortController()
    const deadline = createDeadline({ signal })
    expect(await within(Promise.resolve(1), deadline)).toBe(1)
    await expect(within(Promise.reject(new RangeError('own')), deadline)).rejects.toThrow(
      RangeError,
    )
  })

  it('rejects when the caller leaves first, or had left before', async () => {
    const caller = new AbortController()
    const never = new Promise<never>(() => undefined)
    const waiting = within(never, createDeadline({ signal: caller.signal }))
    caller.abort()
    await expect(waiting).rejects.toEqual(exceeded)
    await expect(within(never, createDeadline({ signal: caller.signal }))).rejects.toEqual(exceeded)
  })
})
