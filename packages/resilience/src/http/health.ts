/** What a health check asks of a client. */
export interface HealthProbe {
  request(options: {
    readonly method: 'GET'
    readonly path: string
    readonly timeouts: { readonly totalMs: number }
    readonly retry: false
    readonly throwOnStatus: false
    readonly signal?: AbortSignal | undefined
  }): Promise<{ readonly status: number }>
}

/** How a service's health is asked. */
export interface HealthOptions {
  /** Default `/health`. */
  readonly path?: string | undefined
  /** How long the answer may take, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** A clock in milliseconds that never goes back. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

/** How a service is. */
export interface HealthReport {
  /** Whether it answered in time with a status from 200 to 299. */
  readonly healthy: boolean
  /** Absent when there was no answer. */
  readonly status?: number
  /** Whole milliseconds until the answer or the failure. */
  readonly response_time_ms: number
  /** ISO 8601, in UTC. */
  readonly checked_at: string
  /** Why there was no answer: an error's code, such as `timeout`. */
  readonly error?: string
}

/** Asks a service once how it is. Never rejects: no answer is an answer too. */
export async function checkHealth(
  client: HealthProbe,
  options: HealthOptions = {},
): Promise<HealthReport> {
  const { path = '/health', timeoutMs = 5_000, signal, now = () => performance.now() } = options
  const startedAt = now()
  const checked_at = new Date().toISOString()
  const elapsed = () => Math.max(0, Math.round(now() - startedAt))
  try {
    const { status } = await client.request({
      method: 'GET',
      path,
      timeouts: { totalMs: timeoutMs },
      retry: false,
      throwOnStatus: false,
      signal,
    })
    const healthy = status >= 200 && status < 300
    return { healthy, status, response_time_ms: elapsed(), checked_at }
  } catch (error) {
    return { healthy: false, response_time_ms: elapsed(), checked_at, error: codeOf(error) }
  }
}

function codeOf(error: unknown): string {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error
  return isCoded && typeof error.code === 'string' ? error.code : 'unknown'
}
