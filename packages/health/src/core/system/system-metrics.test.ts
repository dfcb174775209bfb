import { describe, expect, it } from 'vitest'
import { limitOf } from './memory.ts'
import { socketsIn } from './network.ts'
import { createSystemMetrics } from './system-metrics.ts'

describe('createSystemMetrics', () => {
  it('tells what the platform knows', async () => {
    using reader = createSystemMetrics({ connections: () => 12 })
    const metrics = await reader.read()
    expect(metrics.network_connections).toBe(12)
    expect(metrics.cpu_seconds).toBeGreaterThan(0)
    for (const part of [metrics.cpu_ratio, metrics.event_loop.utilization]) {
      expect(part).toBeGreaterThanOrEqual(0)
      expect(part).toBeLessThanOrEqual(1)
    }
    const { rss_bytes, limit_bytes, available_bytes } = metrics.memory
    expect(limit_bytes).toBeGreaterThan(rss_bytes)
    expect(available_bytes).toBeGreaterThan(0)
    expect(metrics.disk?.size_bytes).toBeGreaterThan(metrics.disk?.free_bytes ?? Infinity)
    expect(metrics.uptime_seconds).toBeGreaterThanOrEqual(0)
  })

  it('reads once a second at most, whoever asks', async () => {
    let clock = 0
    using reader = createSystemMetrics({ now: () => clock })
    const first = await reader.read()
    clock = 999
    expect(await reader.read()).toBe(first)
    clock = 1_000
    expect(await reader.read()).not.toBe(first)
  })

  it('says null where something can’t be told, and rejects never', async () => {
    using reader = createSystemMetrics({
      diskPath: '/there/is/no/such/path',
      connections: () => Promise.reject(new Error('no')),
    })
    expect(await reader.read()).toMatchObject({ disk: null, network_connections: null })
  })

  it('refuses what can’t be meant', () => {
    expect(() => createSystemMetrics({ diskPath: 7 as never })).toThrow(/diskPath is 7/)
  })
})

describe('limitOf', () => {
  it('takes a container’s limit, and the machine’s memory without a sensible one', () => {
    const total = 8e9
    expect([512e6, 0, undefined, 2 ** 63, 9e9].map((limit) => limitOf(limit, total))).toEqual([
      ...[512e6, total, total, total, total],
    ])
  })
})

describe('socketsIn', () => {
  it('reads the kernel’s own words', () => {
    const v4 = 'sockets: used 120\nTCP: inuse 17 orphan 0 tw 3 alloc 20 mem 2\nUDP: inuse 1 mem 0\n'
    expect(socketsIn(v4)).toBe(17)
    expect(socketsIn('TCP6: inuse 4\nUDP6: inuse 0\n')).toBe(4)
    expect(socketsIn('')).toBe(0)
  })
})
