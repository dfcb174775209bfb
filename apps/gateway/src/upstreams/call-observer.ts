import type { IncomingHttpHeaders } from 'node:http'
import type { Exchange } from '@tidegate/server'
import type { SpanHandle } from '@tidegate/telemetry/tracing'
import type { Ask } from './call-parts.ts'
import type { Endpoint } from './endpoint.ts'
import type { Upstream } from './upstream.ts'

/** Why an attempt is made: `failover` is the first on a further upstream, `retry` any other repeat. */
export type AttemptKind = 'first' | 'retry' | 'failover' | 'hedge'

/** What is known of an attempt before it is sent. */
export interface AttemptFacts {
  readonly exchange: Exchange
  /** The span of the request that it is made for. Absent: nobody follows that one. */
  readonly span: SpanHandle | undefined
  readonly ask: Pick<Ask, 'method' | 'path' | 'content' | 'target'>
  readonly upstream: Upstream
  readonly endpoint: Endpoint
  readonly kind: AttemptKind
  /** Counted from 1, over all upstreams. */
  readonly number: number
  /** What failed last: an error's code, or `status_503`. */
  readonly after: string | undefined
}

/** How an attempt ended. Times are on the scale of `performance.now()`. */
export interface AttemptEnd {
  /** `complete`: as the upstream meant it, whatever its status; `lost_race`: another one was faster. */
  readonly outcome: 'complete' | 'failed' | 'client_gone' | 'lost_race'
  /** The answer's status; 0 where there was none. */
  readonly status: number
  /** Why it failed: an error's code, or `status_503`. */
  readonly error: string | undefined
  /** When the upstream could begin to answer: it had the request, or all of its body. */
  readonly sentAt: number
  /** When it did. Absent: it never did. */
  readonly firstByteAt: number | undefined
  /** The end of its body, or of what anybody wanted of it. */
  readonly at: number
}

/** Sees one attempt. Must not throw. */
export interface AttemptObserver {
  /** Its context goes out with the attempt. Absent: that of the request's own span, where there is one. */
  readonly span?: SpanHandle | undefined
  /** The head of its answer has come. */
  onHead?(status: number, headers: IncomingHttpHeaders): void
  /** The next bytes of its answer's body, as the upstream has sent them. They may not be kept or changed. */
  onData?(chunk: Buffer): void
  /** Called once. */
  onEnd(end: AttemptEnd): void
}

/** Sees the calls to upstreams. Must not throw. */
export interface CallObserver {
  /** An attempt is about to be sent. `undefined`: its end is of no interest. */
  onAttempt(facts: AttemptFacts): AttemptObserver | undefined
}
