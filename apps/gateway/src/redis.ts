import type { Logger } from '@tidegate/logger'
import type { RedisConnections, RedisError, RedisStateChange } from '@tidegate/redis'
import type { RedisSettings } from './config/settings.ts'

/** How Redis is, as `/health/redis` tells it. */
interface RedisReport {
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
  const log = new StateLog(logger)
  const connections = connectRedis({
    ...options,
    onStateChange: (change) => log.accept(change, connections.where),
  })
  connections.ready().catch(() => {
    // Logged as a change of state; it is tried again for as long as the gateway runs.
  })
  return {
    connections,
    prefix,
    get available() {
      return connections.state === 'ready'
    },
    report: () => report(connections, log.reason),
    close: () => connections.close(),
  }
}

async function report(
  connections: RedisConnections,
  reason: RedisError | undefined,
): Promise<RedisReport> {
  const { where } = connections
  const health = await connections.health({ timeoutMs: PROBE_MS })
  return {
    status: health.status === 'up' ? 'healthy' : 'unhealthy',
    checked_at: new Date().toISOString(),
    where,
    state: connections.state,
    latency_ms: health.latencyMs,
    // Why it isn't connected says more than that it isn't.
    ...(health.status === 'down' && { error: (reason ?? health.error).code }),
  }
}

/** A connection that is tried again and again goes through the same states: told are only the turns. */
class StateLog {
  /** Why there is no connection, as far as it is known. */
  reason: RedisError | undefined
  readonly #logger: Logger
  #lost: boolean | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  accept({ connection, to, reason }: RedisStateChange, where: string): void {
    if (connection !== 'commands') return
    if (to === 'ready') {
      if (this.#lost !== false) this.#logger.info({ redis: where }, 'redis is connected')
      this.#lost = false
      this.reason = undefined
    } else if (to === 'reconnecting') {
      this.reason = reason ?? this.reason
      if (this.#lost === true) return
      this.#lost = true
      this.#logger.warn({ redis: where, err: reason }, 'redis is away: connecting goes on')
    }
  }
}
