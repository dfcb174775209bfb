import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BatchProgress, runBatch } from './batch.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('runBatch', () => {
  it('tells each item, in order, never more at a time than allowed', async () => {
    const sizes = fc.record({
      delays: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 20 }),
      concurrency: fc.integer({ min: 1, max: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(sizes, async ({ delays, concurrency }) => {
        let active = 0
        let most = 0
        const work = async (delay: number, index: number) => {
          active += 1
          most = Math.max(most, active)
          for (let passed = 0; passed < delay; passed++) await turn()
          active -= 1
          if (delay === 4) throw index
          return index
        }
        const results = await runBatch(delays, work, { concurrency })
        expect(results).toEqual(
          delays.map((delay, index) =>
            delay === 4 ? { ok: false, error: index } : { ok: true, value: index },
          ),
        )
        expect(most).toBe(Math.min(concurrency, delays.length))
      }),
      { numRuns: 40 },
    )
  })

  it('begins nothing more after an abort, and says so of each item', async () => {
    const controller = new AbortController()
    const begun: number[] = []
    const results = await runBatch(
      [0, 1, 2, 3],
      async (item) => {
        begun.push(item)
        await turn()
        if (item === 1) controller.abort('enough')
        return item
      },
      { concurrency: 2, signal: controller.signal },
    )
    expect(begun).toEqual([0, 1, 2])
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, false])
    expect(results[3]).toMatchObject({ error: { code: 'aborted', cause: 'enough' } })
  })

  it('takes what throws at once as a failure', async () => {
    const results = await runBatch(['x'], () => {
      throw new Error('at once')
    })
    expect(results).toMatchObject([{ ok: false, error: { message: 'at once' } }])
  })

  it('tells its progress, whatever the listener throws', async () => {
    const told: BatchProgress[] = []
    await runBatch(
      [true, false, true],
      async (good) => {
        if (!good) throw new Error('bad')
      },
      {
        concurrency: 1,
        onProgress: (progress) => {
          told.push(progress)
          throw new Error('listener')
        },
      },
    )
    expect(told).toEqual([
      { done: 1, failed: 0, total: 3 },
      { done: 2, failed: 1, total: 3 },
      { done: 3, failed: 1, total: 3 },
    ])
  })

  it('is empty for nothing, and refuses a concurrency that would never begin', async () => {
    expect(await runBatch([], async () => 1)).toEqual([])
    for (const concurrency of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(runBatch([1], async () => 1, { concurrency })).rejects.toThrow(RangeError)
    }
  })
})
