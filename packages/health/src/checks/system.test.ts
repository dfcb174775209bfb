import { describe, expect, it } from 'vitest'
import { readMemory } from '../core/system/memory.ts'
import { look } from './looking.fixture.ts'
import { connectionsCheck, diskCheck, eventLoopCheck, memoryCheck } from './system.ts'

describe('memoryCheck', () => {
  it('judges the fuller of memory and heap', async () => {
    const half = { ...readMemory(), rss_bytes: 50, limit_bytes: 100 }
    const at = (memory: number, heap: number) =>
      look(
        memoryCheck({
          read: () => ({
            ...{ ...half, rss_bytes: memory, heap_used_bytes: heap, heap_limit_bytes: 100 },
          }),
        }),
      )
    const seen = [await at(84, 10), await at(85, 10), await at(95, 10), await at(10, 96)]
    expect(seen.map(({ status, error }) => [status, error?.code])).toEqual([
      ['healthy', undefined],
      ['degraded', 'memory_full'],
      ['unhealthy', 'memory_full'],
      ['unhealthy', 'heap_full'],
    ])
    expect(seen[1]?.error?.message).toBe('85 % of the memory is used.')
  })

  it('reads this process', async () => {
    const { details } = await look(memoryCheck())
    expect(details?.rss_bytes).toBeGreaterThan(1e6)
    expect(details?.limit_bytes).toBeGreaterThan(Number(details?.rss_bytes))
  })
})

describe('diskCheck', () => {
  it('reads a disk, and judges by how full it is', async () => {
    const { details } = await look(diskCheck())
    expect(details?.size_bytes).toBeGreaterThan(0)
    const strict = await look(diskCheck({ degradedFrom: 1e-9, unhealthyFrom: 1e-9 }))
    expect(strict.error?.code).toBe('disk_full')
    const gone = await look(diskCheck({ path: '/there/is/no/such/path' }))
    expect(gone.error?.code).toBe('ENOENT')
  })
})

describe('eventLoopCheck', () => {
  it('notices a loop that was blocked', async () => {
    const check = eventLoopCheck({ degradedFrom: 20, unhealthyFrom: '1h' })
    const turns = async () => {
      for (let n = 0; n < 3; n += 1) await new Promise((resolve) => setTimeout(resolve, 15))
    }
    await turns()
    const until = performance.now() + 80
    while (performance.now() < until);
    await turns()
    expect((await look(check)).error?.code).toBe('event_loop_late')
  })
})

describe('connectionsCheck', () => {
  it('judges a count against its maximum', async () => {
    const statuses = [7, 8, 10].map(async (connections) => {
      const check = connectionsCheck({ max: 10, count: () => connections })
      return (await look(check)).status
    })
    expect(await Promise.all(statuses)).toEqual(['healthy', 'degraded', 'unhealthy'])
    expect(() => connectionsCheck({ max: 0 })).toThrow(/max is 0/)
  })
})
