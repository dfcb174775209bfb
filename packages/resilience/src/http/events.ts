import type { CircuitState } from '../core/breaker/circuit-breaker.ts'

/** Something that happened in a client. Endpoints are named by their URLs, without credentials. */
export type HttpClientEvent =
  | AttemptEvent
  | RetryEvent
  | CallEvent
  | { readonly type: 'hedge'; readonly afterMs: number }
  | BreakerEvent
  | { readonly type: 'endpoints'; readonly endpoints: readonly string[] }
  | { readonly type: 'discovery_failed'; readonly error: unknown }

/** An attempt has ended: its body too. */
interface AttemptEvent {
  readonly type: 'attempt'
  readonly method: string
  readonly endpoint: string
  /** Counted from 1 within its call. */
  readonly attempt: number
  /** Milliseconds from its being sent to the end of its body. */
  readonly ms: number
  /** The response's status, if there was one. */
  readonly status: number | undefined
  /** The code of the error that ended it, if one did. */
  readonly error: string | undefined
}

/** A call goes on after a failed attempt. */
interface RetryEvent {
  readonly type: 'retry'
  readonly method: string
  /** Where the attempt failed. */
  readonly endpoint: string
  /** An error's code or a status. */
  readonly reason: string
  /** Milliseconds until the next attempt; 0: at once. */
  readonly waitMs: number
}

/** A call has ended; for a stream: its head has come, or it failed before. */
interface CallEvent {
  readonly type: 'call'
  readonly method: string
  readonly attempts: number
  readonly ms: number
  readonly status: number | undefined
  readonly error: string | undefined
}

/** An endpoint's breaker has changed its state. */
interface BreakerEvent {
  readonly type: 'breaker'
  readonly endpoint: string
  readonly from: CircuitState
  readonly to: CircuitState
}

/** Tells an observer, which can't do harm by failing; `undefined` when nobody wants to know. */
export type Emit = ((event: HttpClientEvent) => void) | undefined

/** An observer whose errors go nowhere. */
export function createEmit(onEvent: ((event: HttpClientEvent) => void) | undefined): Emit {
  if (onEvent === undefined) return undefined
  return (event) => {
    try {
      onEvent(event)
    } catch {
      // Watching a call must not change it.
    }
  }
}
