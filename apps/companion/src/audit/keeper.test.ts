import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startAuditKeeper } from './keeper.ts'
import { testTrail } from './trail.fixture.ts'

describe('startAuditKeeper', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const refuse = (error: unknown) => {
    throw error
  }

  it('signs and drops in rounds, and once more at its end', async () => {
    const { trail, fill, store, told } = testTrail({ keep: 5 })
    const keeper = startAuditKeeper({ trail, everyMs: 1_000, onError: refuse })
    await vi.advanceTimersByTimeAsync(0)
    await fill(8)
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told.map(({ seq }) => seq)).toEqual([8])
    expect(await store.records({ order: 'ascending', limit: 10 })).toHaveLength(5)
    await fill(1)
    await keeper.stop()
    expect(told.map(({ seq }) => seq)).toEqual([8, 9])
    expect(vi.getTimerCount()).toBe(0)
    expect(keeper.stop()).toBe(keeper.stop())
  })

  it('goes on after a round that fails', async () => {
    const errors: unknown[] = []
    let rounds = 0
    const trail = {
      checkpoint: async () => {
        rounds += 1
        throw new Error(`round ${rounds}`)
      },
      retain: async () => 0,
    }
    const keeper = startAuditKeeper({ trail, onError: (error) => void errors.push(error) })
    await vi.advanceTimersByTimeAsync(120_000)
    await keeper.stop()
    expect(errors.map(String)).toEqual([1, 2, 3, 4].map((at) => `Error: round ${at}`))
  })

  it('waits for a round that is running before it ends, and begins none beside it', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    let rounds = 0
    const trail = {
      checkpoint: async () => {
        rounds += 1
        return await promise
      },
      retain: async () => 0,
    }
    const keeper = startAuditKeeper({ trail, everyMs: 10, onError: refuse })
    await vi.advanceTimersByTimeAsync(100)
    const stopped = keeper.stop()
    expect(rounds).toBe(1)
    resolve(undefined)
    await stopped
    expect([rounds, vi.getTimerCount()]).toEqual([2, 0])
  })
})
