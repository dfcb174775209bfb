import { DeadlineExceeded, type ServerError } from '@tidegate/server'
import type { Phase } from '../handlers/countdown.ts'
import { GatewayError, type GatewayErrorCode } from '../problems.ts'
import { faultOf } from './faults.ts'
import { type FailureKind, speaksAgainstEndpoint } from './retry-table.ts'
import type { BreakCode } from './stream-error.ts'
import { opensIn, type Upstream } from './upstream.ts'

/** Shed load comes back when some of what is under way has ended. */
const BUSY_RETRY_AFTER_MS = 1000

/** What a failure has to know of its attempt. */
interface Tried {
  readonly upstream: Upstream
  /** Whether the answer's head has come. */
  readonly answered: boolean
}

/** Why an attempt brought no whole answer. */
export interface Failure {
  readonly kind: FailureKind
  /** For operators: an error's code, or `status_503`. */
  readonly code: string
  /** What the client is told when nothing else is left to try. */
  readonly error: Error
  /** How an answer that has already begun is said to have broken. */
  readonly breakCode: BreakCode
  /** Whether it speaks against the endpoint. */
  readonly blame: boolean
  /** How long the upstream asked to be left alone, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/** The transport failed, or what came was no HTTP. */
export function broken(attempt: Tried, error: Error): Failure {
  const fault = faultOf(error)
  const code = fault instanceof GatewayError ? fault.code : 'internal_error'
  const common = { code, error: fault, breakCode: 'stream_interrupted', blame: true } as const
  switch (code) {
    case 'upstream_unreachable':
    case 'upstream_connect_timeout':
      return { ...common, kind: 'connect' }
    case 'upstream_reset':
    case 'upstream_bad_response':
      if (attempt.answered) return incomplete(attempt, 'stream_interrupted', error)
      return { ...common, kind: isOurs(error) ? 'final' : 'broken', blame: !isOurs(error) }
    default:
      return { ...common, kind: 'final', blame: false }
  }
}

/** What undici refuses to send says nothing of the endpoint. */
function isOurs(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined
  return code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'
}

/** A time limit ran out. */
export function limit(
  { upstream, answered }: Tried,
  which: Phase | 'deadline',
  cause: Error,
): Failure {
  const { name, timeouts } = upstream
  if (which === 'deadline') return { ...deadline(upstream), blame: !answered }
  const idle = which === 'idle'
  const seconds = (idle ? timeouts.idle : timeouts.firstByte) / 1000
  const code = idle ? 'stream_idle' : 'upstream_timeout'
  const message = idle
    ? `"${name}" fell silent for ${seconds} s in the middle of its answer.`
    : `"${name}" sent no response within ${seconds} s.`
  const error = new GatewayError(code, message, { cause })
  return { kind: 'silent', code, error, breakCode: 'stream_idle', blame: true }
}

/** The time for the whole call is up. */
export function deadline({ name, timeouts }: Upstream): Failure {
  const error = new DeadlineExceeded({ hop: `upstream ${name}`, limitMs: timeouts.total })
  return { kind: 'final', code: error.code, error, breakCode: 'deadline_exceeded', blame: false }
}

/** All places and the whole queue of the upstream are taken. */
export function busy({ name }: Upstream): Failure {
  const message = `All places for "${name}" and its whole queue are taken.`
  return refused('upstream_overloaded', message, BUSY_RETRY_AFTER_MS)
}

/** The breakers of all endpoints are open. */
export function unavailable(upstream: Upstream): Failure {
  const message = `"${upstream.name}" has failed too often lately and is left alone for a while.`
  return refused('upstream_unavailable', message, opensIn(upstream))
}

function refused(code: GatewayErrorCode, message: string, retryAfterMs: number): Failure {
  const error = new GatewayError(code, message, { facts: { retryAfterMs } })
  return { kind: 'final', code, error, breakCode: 'stream_interrupted', blame: false }
}

/** An error that isn't the upstream's: of the client's body, or of the way it was made. */
export function final(error: ServerError<string>): Failure {
  return { kind: 'final', code: error.code, error, breakCode: 'stream_interrupted', blame: false }
}

/** The same error, telling SDKs not to try again: we have done so, and theirs would multiply ours. */
export function withoutRetry(error: Error): Error {
  if (!(error instanceof GatewayError)) return error
  const { code, message, facts, cause } = error
  return new GatewayError(code, message, { facts: { ...facts, retry: false }, cause })
}

/** The answer began and is not whole. */
export function incomplete(
  { upstream }: Tried,
  code: 'stream_interrupted' | 'stream_truncated',
  cause?: Error,
): Failure {
  const how =
    code === 'stream_truncated' ? 'ended its answer before the end' : 'broke its answer off'
  const error = new GatewayError(code, `"${upstream.name}" ${how}.`, { cause })
  return { kind: 'broken', code, error, breakCode: code, blame: true }
}

/** An answer that says no. */
export function status(
  { upstream }: Tried,
  number: number,
  retryAfterMs: number | undefined,
): Failure {
  const message = `"${upstream.name}" answered with status ${number}.`
  const error = new GatewayError('upstream_failed', message)
  const blame = speaksAgainstEndpoint(number)
  const code = `status_${number}`
  return { kind: 'status', code, error, breakCode: 'stream_interrupted', blame, retryAfterMs }
}

/** An answer that refuses an option which we have added to the request. */
export function optionRefused({ upstream }: Tried): Failure {
  const message = `"${upstream.name}" refuses a stream that tells what it used.`
  const error = new GatewayError('upstream_failed', message)
  const code = 'stream_options_refused'
  return { kind: 'reworded', code, error, breakCode: 'stream_interrupted', blame: false }
}

/** A stream whose first event says that it failed. */
export function errorEvent({ upstream }: Tried): Failure {
  const error = new GatewayError('upstream_failed', `"${upstream.name}" failed in its stream.`)
  const code = 'stream_error_event'
  return { kind: 'status', code, error, breakCode: 'stream_interrupted', blame: true }
}
