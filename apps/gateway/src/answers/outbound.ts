import type { Logger } from '@tidegate/logger'
import type { ForwardLimits } from '../handlers/forward.ts'
import type { Route } from '../routes.ts'
import type { CallObserver } from '../upstreams/call-observer.ts'
import type { FailureLog } from '../upstreams/failure-log.ts'

/** What a route's requests go out with: made once, at start. */
export interface Outbound {
  readonly route: Route
  readonly transfer: ForwardLimits
  readonly failureLog: FailureLog
  /** Absent: nobody looks. */
  readonly calls?: CallObserver | undefined
  readonly logger: Pick<Logger, 'info'>
}
