import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { createDeduper } from './dedupe.ts'

/** Work that is ended by hand. */
function pending<T>() {
  const calls: PromiseWithResolvers<T>[] = []
  const signals: AbortSignal[] = []
  const work = vi.fn((signal: AbortSignal) => {
    const call = Promise.withResolvers<T>()
    calls.push(call)
    signals.push(signal)
    return call.promise
  })
  return { work, calls, signals }
}

describe('createDeduper', () => {
  it('does the work once for all who ask at the same time, and anew afterwards', async () => {
    const deduper = createDeduper<number>()
    const { work, calls } = pending<number>()
    const both = Promise.all([deduper.run('a', work), deduper.run('a', work)])
    expect([work.mock.calls.length, deduper.size]).toEqual([1, 1])
    calls[0]?.resolve(7)
    expect(await both).toEqual([7, 7])
    expect(deduper.size).toBe(0)
    const again = deduper.run('a', work)
    calls[1]?.resolve(8)
    expect(await again).toBe(8)
  })

  it('keeps keys apart', async () => {
    const deduper = createDeduper<string>()
    const answers = ['a', 'b'].map((key) => deduper.run(key, async () => key))
    expect(await Promise.all(answers)).toEqual(['a', 'b'])
  })

  it('gives a failure to all and keeps nothing, also when the work throws at once', async () => {
    const deduper = createDeduper<number>()
    const failing = () => {
      throw new Error('broken')
    }
    const signal = new AbortController().signal
    const all = await Promise.allSettled([
      deduper.run('a', failing),
      deduper.run('a', failing, signal),
    ])
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(deduper.size).toBe(0)
  })

  it('lets one caller leave without ending the others', async () => {
    const deduper = createDeduper<number>()
    const { work, calls, signals } = pending<number>()
    const leaving = new AbortController()
    const left = deduper.run('a', work, leaving.signal)
    const stays = deduper.run('a', work, new AbortController().signal)
    leaving.abort('gone')
    await expect(left).rejects.toMatchObject({ code: 'aborted', cause: 'gone' })
    expect(signals[0]?.aborted).toBe(false)
    calls[0]?.resolve(1)
    expect(await stays).toBe(1)
  })

  it('aborts the work when the last one leaves, and begins anew for whoever comes then', async () => {
    const deduper = createDeduper<number>()
    const { work, calls, signals } = pending<number>()
    const [a, b] = [new AbortController(), new AbortController()]
    const both = Promise.allSettled([
      deduper.run('k', work, a.signal),
      deduper.run('k', work, b.signal),
    ])
    a.abort()
    b.abort('last')
    expect(signals[0]?.reason).toBe('last')
    const fresh = deduper.run('k', work)
    expect(work).toHaveBeenCalledTimes(2)
    calls[0]?.reject(new Error('late'))
    await both
    expect(deduper.size).toBe(1)
    calls[1]?.resolve(2)
    expect(await fresh).toBe(2)
  })

  it('never aborts work that somebody without a signal waits for', async () => {
    const deduper = createDeduper<number>()
    const { work, calls, signals } = pending<number>()
    const leaving = new AbortController()
    const stays = deduper.run('a', work)
    const left = deduper.run('a', work, leaving.signal)
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect(signals[0]?.aborted).toBe(false)
    calls[0]?.resolve(1)
    expect(await stays).toBe(1)
  })

  it('begins nothing for a caller that has already left', async () => {
    const { work } = pending<number>()
    const run = createDeduper<number>().run('a', work, AbortSignal.abort('early'))
    await expect(run).rejects.toMatchObject({ code: 'aborted', cause: 'early' })
    expect(work).not.toHaveBeenCalled()
  })

  it('leaves no listener on a signal that outlives its call', async () => {
    const { signal } = new AbortController()
    const add = vi.spyOn(signal, 'addEventListener')
    const remove = vi.spyOn(signal, 'removeEventListener')
    const deduper = createDeduper<number>()
    await deduper.run('a', async () => 1, signal)
    await deduper.run('a', () => Promise.reject(new Error('no')), signal).catch(() => undefined)
    expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(
      add.mock.calls.map(([, listener]) => listener),
    )
  })

  it('aborts the work if and only if all have left before it ended', async () => {
    const plan = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(plan, async (leaves) => {
        const deduper = createDeduper<string>()
        const { work, calls, signals } = pending<string>()
        const controllers = leaves.map(() => new AbortController())
        const results = controllers.map(({ signal }) => deduper.run('k', work, signal))
        const settled = Promise.allSettled(results)
        for (const [index, leaving] of leaves.entries()) if (leaving) controllers[index]?.abort()
        expect(signals[0]?.aborted).toBe(leaves.every(Boolean))
        calls[0]?.resolve('value')
        const outcomes = (await settled).map(({ status }) => status === 'rejected')
        expect([outcomes, deduper.size]).toEqual([leaves, 0])
      }),
    )
  })
})
