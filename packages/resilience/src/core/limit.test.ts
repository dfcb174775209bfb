import { describe, expect, it } from 'vitest'
import { AbortedError } from './errors.ts'
import { createLimit, type LimitDecision } from './limit.ts'

describe('createLimit', () => {
  it('lets through what is allowed, decided at once or later', async () => {
    const atOnce = createLimit({ limit: () => ({ allowed: true }) })
    const later = createLimit({ limit: async () => ({ allowed: true }) })
    expect(await atOnce.execute(() => 1)).toBe(1)
    expect(await later.execute(() => 2)).toBe(2)
  })

  it('refuses the rest without calling the work, and says when to come back', async () => {
    const refusals: LimitDecision[] = []
    const decision = { allowed: false, retryAfterMs: 250 }
    const policy = createLimit({
      limit: () => decision,
      onLimited: (refusal) => refusals.push(refusal),
    })
    let called = false
    const result = policy.execute(() => {
      called = true
    })
    await expect(result).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 250,
      message: 'Refused by the limit; try again in 250 ms.',
      timeline: [{ kind: 'rejected', attempt: 1, reason: 'rate_limited' }],
    })
    expect(called).toBe(false)
    expect(refusals).toEqual([decision])
  })

  it('does not call the work when the caller left while the limit was asked', async () => {
    const controller = new AbortController()
    const policy = createLimit({
      limit: async () => {
        controller.abort()
        return { allowed: true }
      },
    })
    let called = false
    const result = policy.execute(
      () => {
        called = true
      },
      { signal: controller.signal },
    )
    await expect(result).rejects.toThrow(AbortedError)
    await new Promise(setImmediate)
    expect(called).toBe(false)
  })
})
