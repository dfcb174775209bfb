import type { Recorder } from '@tidegate/events'
import { isServerError } from '@tidegate/server'
import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import { ForwardedRequest } from '../handlers/forward.ts'
import { logSharedCall } from '../logging.ts'
import { Call } from '../upstreams/call.ts'
import type { TokenUsage } from '../usage/reservation.ts'
import type { TokenMeter } from '../usage/token-meter.ts'
import { RefusedAnswer } from './answer-fault.ts'
import type { AnswerHead } from './answer-head.ts'
import type { Outbound } from './outbound.ts'
import { RecordingOutlet } from './recording-outlet.ts'
import { SharedExchange } from './shared-exchange.ts'

export interface RecordOptions {
  /** Nobody waits for it: `c` is only what it is made from, and its line says nothing of it. Default false. */
  readonly background?: boolean | undefined
  /** On the scale of `performance.now()`. Default: the deadline of the request that leads. */
  readonly deadlineAt?: number | undefined
  /** Counts what it uses. Default: the meter of the request that leads, who pays for it. */
  readonly tokens?: TokenMeter | undefined
}

/** What came of a recorded call. */
export interface AnswerEnd {
  /** All of the answer came, and it doesn't say of itself that it failed. */
  readonly whole: boolean
  readonly usage: TokenUsage | undefined
  /** Why there was no answer at all. */
  readonly error: Error | undefined
}

/** What is known of the end of a recording made here, by whoever has to pay a share of it. */
const ends = new WeakMap<object, Promise<AnswerEnd>>()

/** The end of the call that makes a recording, where it is made in this process. */
export function endOf(recording: object): Promise<AnswerEnd> | undefined {
  return ends.get(recording)
}

/**
 * Makes the call of a request into a recording, which outlives the request. It begins in the next
 * microtask, so that whoever follows the recording at once misses nothing. Resolves, never rejects, when
 * the call is over: complete, failed, or given up by the last who wanted it.
 */
export function recordAnswer(
  c: Context<GatewayEnv>,
  { route, failureLog, calls, logger }: Outbound,
  body: Buffer | null,
  recorder: Recorder<AnswerHead>,
  options: RecordOptions = {},
): Promise<AnswerEnd> {
  const { background = false } = options
  const exchange = new SharedExchange(c.get('exchange'), options.deadlineAt)
  const tokens = 'tokens' in options ? options.tokens : c.get('tokens')
  const { promise, resolve } = Promise.withResolvers<AnswerEnd>()
  let error: Error | undefined
  const outgoing = new RecordingOutlet(recorder, () => {
    const whole = recorder.recording.state === 'complete'
    resolve({ whole, usage: tokens?.usage, error })
  })
  const call = new Call({
    ...{ upstreams: route.upstreams, exchange, outgoing, failureLog, tokens },
    ...{ observer: calls, span: c.get('span') },
    ask: new ForwardedRequest(c, route, body, tokens, true),
    holdBack: route.holdBack,
    // Each of its clients has a limit of its own.
    writeLimit: Number.POSITIVE_INFINITY,
  })
  if (!background) {
    c.set('call', call)
    c.set('led', exchange)
    tokens?.settleAfter(promise)
  }
  ends.set(recorder.recording, promise)
  queueMicrotask(() => {
    call.run().catch((thrown: unknown) => {
      error = thrown instanceof Error ? thrown : new Error('The call failed.', { cause: thrown })
      exchange.errorCode = isServerError(error) ? error.code : 'internal_error'
      outgoing.refuse(new RefusedAnswer(error, exchange.headers))
    })
  })
  return promise.then((end) => {
    if (background || exchange.leftBehind) logSharedCall(logger, exchange, call, end.usage)
    return end
  })
}
