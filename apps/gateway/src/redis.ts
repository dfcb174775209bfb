import type { Logger } from '@tidegate/logger'
import type { RedisConnections, RedisStateChange } from '@tidegate/redis'
import type { RedisSettings } from './config/settings.ts'

/** How Redis is, as `/health/redis` tells it. */
export interface RedisReport {
  readonly status: 'healthy' | 'unhealthy'
  readonly checked_at: string
  readonly where: string
  readonly state: string
  readonly latency_ms: number
  readonly error?: string
}

/** The gateway's Redis: its connections, and how it is. */
export interface SharedRedis {
  readonly connections: RedisConnections
  readonly prefix: string
  /** Whether commands can go out right now. */
  readonly available: boolean
  report(): Promise<RedisReport>
  close(): Promise<void>
}

/** An operator waits for this answer. */
const PROBE_MS = 1_000

/**
 * Connects to Redis in the background: the gateway serves without it meanwhile. What becomes of the
 * connection is logged, each loss and each return once.
 */
export async function openRedis(
  { options, prefix }: RedisSettings,
  logger: Logger,
): Promise<SharedRedis> {
  const { connectRedis } = await import('@tidegate/redis')
  const log = createStateLog(logger)
  const connections = connectRedis({ ...options, onStateChange: (change) => log(change, where) })
  const { where } = connections
  connections.ready().catch(() => {
    // Logged as a change of state; it is tried again for as long as the gateway runs.
  })
  return {
    connections,
    prefix,
    get available() {
      return connections.state === 'ready'
    },
    report: () => report(connections),
    close: () => connections.close(),
  }
}

async function report(connections: RedisConnections): Promise<RedisReport> {
  const { where } = connections
  const health = await connections.health({ timeoutMs: PROBE_MS })
  return {
    status: health.status === 'up' ? 'healthy' : 'unhealthy',
    checked_at: new Date().toISOString(),
    where,
    state: connections.state,
    latency_ms: health.latencyMs,
    ...(health.status === 'down' && { error: health.error.code }),
  }
}

/** A connection that is tried again and again goes through the same states: told are only the turns. */
function createStateLog(logger: Logger): (change: RedisStateChange, where: string) => void {
  let lost: boolean | undefined
  return ({ connection, to, reason }, where) => {
    if (connection !== 'commands') return
    if (to === 'ready') {
      if (lost !== false) logger.info({ redis: where }, 'redis is connected')
      lost = false
    } else if (to === 'reconnecting' && lost !== true) {
      lost = true
      logger.warn({ redis: where, err: reason }, 'redis is away: connecting goes on')
    }
  }
}
