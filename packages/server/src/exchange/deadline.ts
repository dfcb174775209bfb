import type { MiddlewareHandler } from 'hono'
import type { ExchangeEnv } from './exchange.ts'
import { exchangeOf } from './middleware.ts'

/** How long a request may take. */
export interface DeadlineOptions {
  /** Milliseconds from the request's start. */
  readonly ms: number
  /**
   * Answer 504 at the deadline even if the handler doesn't look at `exchange.signal`. The handler
   * isn't stopped by it, only no longer waited for. Default false: on a proxied route whoever forwards
   * obeys the signal or `deadlineAt`, and a timer for each request is saved.
   */
  readonly enforce?: boolean
}

/**
 * Gives each request a deadline: `exchange.deadlineAt`, and with it `exchange.signal`. An earlier
 * deadline that is already set stays. Passing `exchange.signal` on to `fetch`, a database or a retry
 * makes them end in time with a {@link DeadlineExceeded} that names `exchange.hop`.
 */
export function deadline({ ms, enforce = false }: DeadlineOptions): MiddlewareHandler<ExchangeEnv> {
  return (c, next) => {
    const exchange = exchangeOf(c)
    const at = exchange.startedAt + ms
    if (exchange.deadlineAt === undefined || at < exchange.deadlineAt) exchange.deadlineAt = at
    return enforce ? untilAborted(exchange.signal, next()) : next()
  }
}

function untilAborted(signal: AbortSignal, handled: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    handled.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
