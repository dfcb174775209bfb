import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Bulkhead, BulkheadOptions, Slot } from './bulkhead.ts'
import { createBulkhead } from './bulkhead.ts'
import { BulkheadFullError } from './errors.ts'
import { timelineOf } from './timeline.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function take(bulkhead: Bulkhead): Slot {
  const slot = bulkhead.tryAcquire()
  if (slot === undefined) throw new Error('The bulkhead is full.')
  return slot
}

describe('createBulkhead', () => {
  it('lets so many in and refuses the next at once', async () => {
    const onRejected = vi.fn()
    const bulkhead = createBulkhead({ max: 2, onRejected })
    take(bulkhead)
    await bulkhead.acquire()
    expect(bulkhead.active).toBe(2)
    expect(bulkhead.tryAcquire()).toBeUndefined()
    await expect(bulkhead.acquire()).rejects.toBeInstanceOf(BulkheadFullError)
    expect(onRejected).toHaveBeenCalledTimes(1)
  })

  it('takes a place back once, however often it is released', () => {
    const bulkhead = createBulkhead({ max: 2 })
    const slot = take(bulkhead)
    take(bulkhead)
    slot.release()
    slot.release()
    expect(bulkhead.active).toBe(1)
  })

  it('never lets a newcomer take the place that a queued caller waits for', async () => {
    const bulkhead = createBulkhead({ max: 1, queue: 1 })
    const slot = take(bulkhead)
    const queued = bulkhead.acquire()
    slot.release()
    expect(bulkhead.tryAcquire()).toBeUndefined()
    await expect(Promise.race([queued, bulkhead.acquire()])).resolves.toBeDefined()
    expect(bulkhead).toMatchObject({ active: 1, queued: 1 })
  })

  it('lets an aborted caller leave the line at once, and the next one in', async () => {
    const bulkhead = createBulkhead({ max: 1, queue: 1 })
    const slot = take(bulkhead)
    const controller = new AbortController()
    const leaving = bulkhead.acquire({ signal: controller.signal })
    await expect(bulkhead.acquire()).rejects.toMatchObject({ code: 'bulkhead_full' })
    controller.abort(new Error('gone'))
    expect(bulkhead.queued).toBe(0)
    await expect(leaving).rejects.toMatchObject({ code: 'aborted', cause: new Error('gone') })
    const next = bulkhead.acquire()
    slot.release()
    await expect(next).resolves.toBeDefined()
    expect(bulkhead.active).toBe(1)
  })

  it('refuses whoever comes aborted, even when there is room', async () => {
    const bulkhead = createBulkhead({ max: 1 })
    const call = bulkhead.acquire({ signal: AbortSignal.abort() })
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
    expect(bulkhead.active).toBe(0)
  })

  it('lets nobody wait longer than the limit', async () => {
    const bulkhead = createBulkhead({ max: 1, queue: 2, queueTimeoutMs: 100 })
    const slot = take(bulkhead)
    const first = bulkhead.acquire()
    const refused = expect(first).rejects.toMatchObject({ code: 'timeout', limit: 'queue' })
    vi.advanceTimersByTime(60)
    const second = bulkhead.acquire()
    vi.advanceTimersByTime(40)
    await refused
    expect(bulkhead.queued).toBe(1)
    slot.release()
    await expect(second).resolves.toBeDefined()
  })

  it('leaves no listener on the signal of a caller that was let in', async () => {
    const bulkhead = createBulkhead({ max: 1, queue: 1 })
    const slot = take(bulkhead)
    const { signal } = new AbortController()
    const remove = vi.spyOn(signal, 'removeEventListener')
    const queued = bulkhead.acquire({ signal })
    slot.release()
    await queued
    expect(remove).toHaveBeenCalledTimes(1)
  })

  it.each<[string, BulkheadOptions]>([
    ['max', { max: 0 }],
    ['queue', { max: 1, queue: -1 }],
    ['queueTimeoutMs', { max: 1, queueTimeoutMs: 0 }],
  ])('refuses a senseless %s when it is made', (name, options) => {
    expect(() => createBulkhead(options)).toThrow(RangeError)
    expect(() => createBulkhead(options)).toThrow(name)
  })
})

describe('createBulkhead, execute', () => {
  it('gives the place back however the work ends', async () => {
    const bulkhead = createBulkhead({ max: 1 })
    await expect(bulkhead.execute(() => bulkhead.active)).resolves.toBe(1)
    await expect(bulkhead.execute(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    const throwing = () => {
      throw new Error('now')
    }
    await expect(bulkhead.execute(throwing)).rejects.toThrow('now')
    expect(bulkhead.active).toBe(0)
  })

  it('calls nothing for a caller that aborts in the line, nor for one that aborts as it is let in', async () => {
    const bulkhead = createBulkhead({ max: 1, queue: 2 })
    const slot = take(bulkhead)
    const work = vi.fn()
    const early = new AbortController()
    const late = new AbortController()
    const calls = [early, late].map(({ signal }) => bulkhead.execute(work, { signal }))
    const ended = Promise.allSettled(calls)
    early.abort()
    slot.release()
    late.abort()
    await ended
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'aborted' })
    expect(work).not.toHaveBeenCalled()
    expect(bulkhead).toMatchObject({ active: 0, queued: 0 })
  })

  it('keeps the place until work that ignores its abort has really ended', async () => {
    const bulkhead = createBulkhead({ max: 1 })
    const controller = new AbortController()
    const work = Promise.withResolvers<void>()
    const call = bulkhead.execute(() => work.promise, { signal: controller.signal })
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
    expect(bulkhead.active).toBe(1)
    work.resolve()
    await vi.waitFor(() => expect(bulkhead.active).toBe(0))
  })

  it('tells of the wait and of the refusal in the history', async () => {
    const bulkhead = createBulkhead({ max: 1, queue: 1 })
    const slot = take(bulkhead)
    const waiting = bulkhead.execute(() => Promise.reject(new Error('down')))
    const failed = expect(waiting).rejects.toThrow('down')
    const refused = await bulkhead.execute(() => 1).catch((error: unknown) => error)
    expect(timelineOf(refused)).toMatchObject([{ kind: 'rejected', reason: 'bulkhead_full' }])
    await vi.advanceTimersByTimeAsync(30)
    slot.release()
    await failed
    const error = await waiting.catch((reason: unknown) => reason)
    expect(timelineOf(error)).toMatchObject([
      { kind: 'wait', reason: 'queue', at: 0, ms: 30 },
      { kind: 'failure', at: 30 },
    ])
  })
})

describe('createBulkhead under any traffic', () => {
  const steps = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ do: 'arrive' as const, which: 0 }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.constant({ do: 'try' as const, which: 0 }) },
  )

  it('admits in the order of arrival, never too many at a time, and lets only so many wait', async () => {
    const max = fc.integer({ min: 1, max: 3 })
    const queue = fc.integer({ min: 0, max: 4 })
    const schedules = fc.array(steps, { maxLength: 60, size: 'max' })
    await fc.assert(
      fc.asyncProperty(max, queue, schedules, async (max, queue, schedule) => {
        const bulkhead = createBulkhead({ max, queue })
        /** Whom the bulkhead has let in, in that order, and whom the plain rules say it must. */
        const admitted: number[] = []
        const expected: number[] = []
        const refused: number[] = []
        let line: { readonly id: number; readonly controller: AbortController }[] = []
        const slots: Slot[] = []
        let active = 0
        let arrivals = 0
        for (const step of schedule) {
          if (step.do === 'arrive') {
            const id = arrivals++
            const controller = new AbortController()
            bulkhead.acquire({ signal: controller.signal }).then(
              (slot) => {
                admitted.push(id)
                slots.push(slot)
              },
              () => refused.push(id),
            )
            if (active < max) {
              active += 1
              expected.push(id)
            } else if (line.length < queue) line.push({ id, controller })
          } else if (step.do === 'try') {
            const slot = bulkhead.tryAcquire()
            expect(slot !== undefined).toBe(active < max)
            if (slot === undefined) continue
            slots.push(slot)
            active += 1
          } else if (step.do === 'release' && slots.length > 0) {
            const [slot] = slots.splice(step.which % slots.length, 1)
            slot?.release()
            const next = line.shift()
            if (next === undefined) active -= 1
            else expected.push(next.id)
          } else if (step.do === 'abort' && line.length > 0) {
            const leaving = line[step.which % line.length]
            line = line.filter((waiter) => waiter !== leaving)
            leaving?.controller.abort()
          }
          expect(bulkhead.active).toBe(active)
          expect(bulkhead.active).toBeLessThanOrEqual(max)
          expect(bulkhead.queued).toBe(line.length)
          expect(bulkhead.queued).toBeLessThanOrEqual(queue)
          // Promises are told in a later turn.
          await Promise.resolve()
          await Promise.resolve()
          await Promise.resolve()
          expect(admitted).toEqual(expected)
        }
        expect(admitted.length + refused.length + line.length).toBe(arrivals)
      }),
    )
  })
})
