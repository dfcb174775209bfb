import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Recording } from '@tidegate/events'
import { timingHeaders } from '@tidegate/server'
import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import type { TokenUsage } from '../usage/reservation.ts'
import { type AnswerHead, clientHeaders, type Origin } from './answer-head.ts'
import { BeginAnew } from './begin-anew.ts'
import type { Outbound } from './outbound.ts'
import { endOf } from './record.ts'
import { Serving } from './serving.ts'

/** How a client comes to an answer. */
export interface Served extends Origin {
  /** What a kept answer had used when it was made: a share of it may be charged. */
  readonly usage?: TokenUsage | undefined
  /** The share of it that is charged, 0 to 1. Default: the route's `hitCost`. */
  readonly hitCost?: number | undefined
}

/** An answer, and how the client comes to it. */
export interface Answered {
  readonly recording: Recording<AnswerHead>
  readonly how: Served
}

/**
 * Gives a client a recorded answer from its beginning, at the client's own pace. Resolves, with the mark of a
 * response that is sent, when the head is out. Rejects while an error can still become a response of its own:
 * with the error that the call met, or with {@link BeginAnew} where another call may do better.
 */
export function serve(
  c: Context<GatewayEnv>,
  recording: Recording<AnswerHead>,
  how: Served,
  outbound: Outbound,
): Promise<Response> {
  const led = c.get('led')
  c.set('served', { cache: how.cache, shared: led === undefined })
  if (led === undefined) charge(c, recording, { hitCost: outbound.route.hitCost, ...how })
  const whole = recording.whole()
  if (recording.head !== undefined && whole !== undefined) {
    serveWhole(c, recording.head, whole, how)
    return Promise.resolve(RESPONSE_ALREADY_SENT)
  }
  return new Serving(c, recording, how, outbound).run()
}

/** Finds an answer and serves it; once more, if it came to nothing before the client had any of it. */
export async function serveFrom(
  c: Context<GatewayEnv>,
  outbound: Outbound,
  find: (again: boolean) => Answered | Promise<Answered>,
): Promise<Response> {
  try {
    const { recording, how } = await find(false)
    return await serve(c, recording, how, outbound)
  } catch (error) {
    if (!(error instanceof BeginAnew)) throw error
    c.set('led', undefined)
  }
  try {
    const { recording, how } = await find(true)
    return await serve(c, recording, how, outbound)
  } catch (error) {
    throw error instanceof BeginAnew ? error.original : error
  }
}

/** All of it is there: head, body and end leave in one write. */
function serveWhole(c: Context<GatewayEnv>, head: AnswerHead, body: Uint8Array, how: Served): void {
  const { outgoing } = c.env
  const exchange = c.get('exchange')
  exchange.status = head.status
  exchange.stream = head.stream
  exchange.sent = true
  if (outgoing.destroyed) {
    exchange.outcome = 'client_gone'
    return
  }
  exchange.timings.push(...(c.get('led')?.timings ?? []))
  const headers = clientHeaders(lengthened(head, body.length), exchange, how)
  headers.push(...timingHeaders(exchange, performance.now()))
  outgoing.writeHead(head.status, head.message || undefined, headers)
  if (exchange.method !== 'HEAD') exchange.bytesOut = body.length
  exchange.outcome = 'complete'
  outgoing.end(body)
}

/** The head with the body's length. Of streams it isn't told, and of statuses without a body it is none. */
function lengthened(head: AnswerHead, length: number): AnswerHead {
  const { status, stream, headers } = head
  if (stream || status === 204 || status === 304) return head
  const isTold = headers.some((name, at) => at % 2 === 0 && name === 'content-length')
  return isTold ? head : { ...head, headers: [...headers, 'content-length', String(length)] }
}

/** Whoever is served what another's call has made pays the route's share of what that used, or nothing. */
function charge(
  c: Context<GatewayEnv>,
  recording: Recording<AnswerHead>,
  { usage, hitCost: share }: Served,
): void {
  const tokens = c.get('tokens')
  if (tokens === undefined) return
  if (!share || usage !== undefined) tokens.chargeShare(share ?? 0, usage)
  else
    tokens.chargeShareLater(
      share,
      endOf(recording)?.then((end) => end.usage),
    )
}
