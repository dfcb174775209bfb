import { describe, expect, it, vi } from 'vitest'
import { AbortedError } from './errors.ts'
import { createFallback } from './fallback.ts'
import { timelineOf } from './timeline.ts'

const failing = (error: unknown) => () => {
  throw error
}

describe('createFallback', () => {
  it('is not asked when the work succeeds', async () => {
    const policy = createFallback({ fallback: failing(new Error('asked')) })
    expect(await policy.execute(() => 'own')).toBe('own')
  })

  it('answers in the place of work that fails', async () => {
    const error = new Error('down')
    const seen: unknown[] = []
    const policy = createFallback({
      fallback: async (failure, { attempt }) => [failure, attempt],
      onFallback: (failure) => seen.push(failure),
    })
    expect(await policy.execute<unknown>(failing(error))).toEqual([error, 1])
    expect(seen).toEqual([error])
  })

  it('throws on what it is not for', async () => {
    const error = new TypeError('bug')
    const policy = createFallback({
      fallback: () => 'never',
      when: (failure) => !(failure instanceof TypeError),
    })
    await expect(policy.execute(failing(error))).rejects.toBe(error)
    expect(await policy.execute<string>(failing(new Error('down')))).toBe('never')
  })

  it('throws what the fallback throws, with both in the timeline', async () => {
    const second = Object.assign(new Error('down, too'), { code: 'ECONNREFUSED' })
    const policy = createFallback({ fallback: failing(second) })
    await expect(policy.execute(failing(new Error('down')))).rejects.toBe(second)
    expect(timelineOf(second)).toMatchObject([
      { kind: 'fallback', reason: 'Error' },
      { kind: 'failure', reason: 'ECONNREFUSED' },
    ])
  })

  it('never answers after an abort', async () => {
    const fallback = vi.fn(() => 'answer')
    const policy = createFallback({ fallback })
    const own = new AbortedError('gone')
    await expect(policy.execute(failing(own))).rejects.toBe(own)

    const controller = new AbortController()
    const result = policy.execute(
      () => {
        controller.abort('left')
        throw new Error('closed')
      },
      { signal: controller.signal },
    )
    await expect(result).rejects.toMatchObject({ code: 'aborted', cause: 'left' })
    await new Promise(setImmediate)
    expect(fallback).not.toHaveBeenCalled()
  })
})
