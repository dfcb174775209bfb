import type { Metrics } from '@tidegate/telemetry'
import type { SharedRedis } from '../../redis.ts'

/** Redis is asked no more often than this. */
const LEAST_MS = 10_000

/** How Redis is. It is asked beside scrapes, which tell what it said last: none waits for it. */
export function collectRedis(
  registry: Metrics,
  redis: Pick<SharedRedis, 'available' | 'connections'>,
  now: () => number = () => performance.now(),
): void {
  const up = registry.gauge('tidegate_redis_up', {
    help: 'Whether commands can go to Redis: 1 or 0.',
  })
  const used = registry.gauge('tidegate_redis_memory_used_bytes', {
    help: 'What Redis says it uses.',
    unit: 'bytes',
  })
  const most = registry.gauge('tidegate_redis_memory_max_bytes', {
    help: 'What Redis says it may use; absent where it has no limit.',
    unit: 'bytes',
  })
  let askedAt = Number.NEGATIVE_INFINITY
  let asking = false
  let last: ReadonlyMap<string, number> = new Map()
  const ask = async (): Promise<void> => {
    askedAt = now()
    asking = true
    try {
      last = numbersIn(await redis.connections.commands.call('INFO', 'memory'))
    } catch {
      last = new Map()
    }
    asking = false
  }
  registry.observe([up, used, most], () => {
    const { available } = redis
    up.series().set(available ? 1 : 0)
    if (!available) return
    if (!asking && now() - askedAt >= LEAST_MS) void ask()
    const [usedBytes, mostBytes] = [last.get('used_memory'), last.get('maxmemory')]
    if (usedBytes !== undefined) used.series().set(usedBytes)
    if (mostBytes !== undefined && mostBytes > 0) most.series().set(mostBytes)
  })
}

function numbersIn(info: unknown): ReadonlyMap<string, number> {
  const lines = typeof info === 'string' ? info.split(/\r?\n/) : []
  return new Map(
    lines.flatMap((line) => {
      const [, name = '', value] = /^(\w+):(\d+)$/.exec(line) ?? []
      return value === undefined ? [] : [[name, Number(value)] as const]
    }),
  )
}
