import { createHealth, type Health } from '@tidegate/health'
import { redisCheck } from '@tidegate/health/checks'
import type { Callers } from '../auth/callers.ts'
import type { SharedAnswers } from '../cache/open.ts'
import { cacheHealth } from '../cache/report.ts'
import type { Limits } from '../limits/limits.ts'
import type { SharedRedis } from '../redis.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { authHealth } from './auth-health.ts'
import { always, type Component, type Look, type Looks } from './component.ts'
import { upstreamHealth } from './upstream-health.ts'

/** What the gateway is made of. */
export interface OwnParts {
  readonly upstreams: readonly Upstream[]
  readonly callers: Callers
  readonly limits: Limits
  readonly redis: SharedRedis | undefined
  readonly answers: SharedAnswers | undefined
}

/** The gateway's own parts: what they know from what they do, so that nobody is asked but Redis. */
export function trafficLooks(parts: OwnParts): Looks {
  const { callers, limits, redis, answers } = parts
  const looks: [string, Look][] = [
    ['process', always(processHealth)],
    ['limits', always(() => limitsHealth(limits))],
  ]
  if (redis !== undefined) looks.push(['redis', redisLook(redis)])
  if (answers?.kept !== undefined) looks.push(['cache', always(() => cacheHealth(answers))])
  if (callers.signingKeys.length > 0) looks.push(['auth', always(() => authHealth(callers))])
  return new Map(looks)
}

/** Upstreams by their names. */
export function upstreamLooks({ upstreams }: OwnParts): Looks {
  return new Map(upstreams.map((each) => [each.name, always(() => upstreamHealth(each))]))
}

function processHealth(): Component {
  const { rss, heapUsed } = process.memoryUsage()
  return {
    status: 'healthy',
    checked_at: new Date().toISOString(),
    memory: { rss_bytes: rss, heap_used_bytes: heapUsed },
    node: process.version,
  }
}

function limitsHealth({ available, health }: Limits): Component {
  return { ...health, status: available ? 'healthy' : 'degraded' }
}

/** Figures of Redis, for an operator who waits for them. */
const FIGURES = { timeout: 1_000, ttl: 1_000 }

function redisLook(redis: SharedRedis): Look {
  const figures = createHealth()
  figures.register('redis', redisCheck({ client: redis.connections.commands }), FIGURES)
  return {
    known: () => (redis.available ? (figures.last('redis')?.status ?? 'healthy') : 'unhealthy'),
    now: async () => {
      const report = await redis.report()
      return { ...report, ...(report.status === 'healthy' && (await figuresOf(figures))) }
    },
  }
}

async function figuresOf(figures: Health): Promise<Partial<Component>> {
  const { status, error, details } = await figures.run('redis')
  return {
    ...(status !== 'healthy' && error !== undefined && { status, error: error.code }),
    ...(details !== undefined && { details }),
  }
}
