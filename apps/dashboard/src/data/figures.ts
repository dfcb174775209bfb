import { entries, type Fields, fields, number, text } from './wire.ts'

/** What was measured of some requests. */
export interface Stats {
  readonly name: string
  readonly count: number
  readonly errorRate: number | null
  readonly averageMs: number | null
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  readonly perMinute: number | null
}

/** `GET /metrics` as JSON. */
export interface Figures {
  readonly version: string | null
  readonly uptimeMs: number | null
  readonly totals: Stats
  readonly routes: readonly Stats[]
  readonly upstreams: readonly Stats[]
  readonly tiers: readonly Stats[]
  readonly limits: Limits
  readonly cache: Cache
  readonly tokens: Tokens
  readonly streams: Streams
  readonly redis: RedisMemory
  readonly system: System
}

interface Limits {
  readonly allowed: number | null
  readonly denied: number | null
  readonly violationRate: number | null
}

interface Cache {
  readonly hits: number | null
  readonly misses: number | null
  readonly hitRate: number | null
}

interface Tokens {
  readonly input: number | null
  readonly output: number | null
  readonly costUsd: number | null
}

interface Streams {
  readonly active: number | null
  readonly ended: readonly { readonly outcome: string; readonly count: number }[]
}

export interface RedisMemory {
  readonly usedBytes: number | null
  readonly maxBytes: number | null
}

interface System {
  readonly cpuRatio: number | null
  readonly rssBytes: number | null
  readonly limitBytes: number | null
  readonly diskFreeBytes: number | null
  readonly diskSizeBytes: number | null
  readonly connections: number | null
  readonly delayP50Ms: number | null
  readonly delayP99Ms: number | null
  readonly utilization: number | null
}

export function readFigures(body: unknown): Figures {
  const all = fields(body)
  const limits = fields(all.limits)
  const cache = fields(all.cache)
  const tokens = fields(all.tokens)
  const streams = fields(all.streams)
  const seconds = number(all.uptime_seconds)
  return {
    version: text(all.version),
    uptimeMs: seconds === null ? null : seconds * 1000,
    totals: readStats('', fields(all.totals)),
    routes: entries(all.routes, readStats),
    upstreams: entries(all.upstreams, readStats),
    tiers: entries(all.tiers, readStats),
    limits: {
      allowed: number(limits.allowed),
      denied: number(limits.denied),
      violationRate: number(limits.violation_rate),
    },
    cache: {
      hits: number(cache.hits),
      misses: number(cache.misses),
      hitRate: number(cache.hit_rate),
    },
    tokens: {
      input: number(tokens.input),
      output: number(tokens.output),
      costUsd: number(tokens.cost_usd),
    },
    streams: { active: number(streams.active), ended: readEndings(streams.ended) },
    redis: readRedisMemory(fields(all.redis)),
    system: readSystem(fields(all.system)),
  }
}

function readStats(name: string, stats: Fields): Stats {
  return {
    name,
    count: number(stats.count) ?? 0,
    errorRate: number(stats.error_rate),
    averageMs: number(stats.average_ms),
    p50Ms: number(stats.p50_ms),
    p95Ms: number(stats.p95_ms),
    p99Ms: number(stats.p99_ms),
    perMinute: number(stats.requests_per_minute),
  }
}

function readEndings(value: unknown): Streams['ended'] {
  return Object.entries(fields(value)).map(([outcome, count]) => ({
    outcome,
    count: number(count) ?? 0,
  }))
}

/** Redis's memory, here or in what its health check tells. A limit of 0 is none. */
export function readRedisMemory(redis: Fields): RedisMemory {
  const memory = fields(redis.memory)
  const limit = number(memory.max_bytes) ?? number(redis.memory_max_bytes)
  return {
    usedBytes: number(memory.used_bytes) ?? number(redis.memory_used_bytes),
    maxBytes: limit === 0 ? null : limit,
  }
}

function readSystem(system: Fields): System {
  const memory = fields(system.memory)
  const disk = fields(system.disk)
  const loop = fields(system.event_loop)
  const delay = fields(loop.delay_ms)
  return {
    cpuRatio: number(system.cpu_ratio),
    rssBytes: number(memory.rss_bytes),
    limitBytes: number(memory.limit_bytes),
    diskFreeBytes: number(disk.free_bytes),
    diskSizeBytes: number(disk.size_bytes),
    connections: number(system.network_connections),
    delayP50Ms: number(delay.p50),
    delayP99Ms: number(delay.p99),
    utilization: number(loop.utilization),
  }
}
