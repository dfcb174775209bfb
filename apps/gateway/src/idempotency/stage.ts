import { createHash } from 'node:crypto'
import type { Context, Handler } from 'hono'
import { RefusedAnswer } from '../answers/answer-fault.ts'
import type { Origin } from '../answers/answer-head.ts'
import { callerScope } from '../answers/caller-scope.ts'
import type { Outbound } from '../answers/outbound.ts'
import { recordAnswer } from '../answers/record.ts'
import { type Answered, serveFrom } from '../answers/serve.ts'
import { tellsError } from '../answers/whole-answer.ts'
import type { GatewayEnv } from '../env.ts'
import { wholeBody } from '../handlers/body.ts'
import { GatewayError } from '../problems.ts'
import { step } from '../telemetry/tracing/step.ts'
import { fingerprintOf } from './fingerprint.ts'
import { parseIdempotencyKey } from './key.ts'
import type { KeyedAnswers } from './keyed-answers.ts'
import type { KeyedRecorder } from './keyed-recorder.ts'
import { passOn } from './passing-on.ts'

/** Finds or makes the answer to a request; `undefined`: it needs a call of its own. */
type FindAnswer = (
  c: Context<GatewayEnv>,
  body: Buffer,
) => Answered | undefined | Promise<Answered | undefined>

/** What a route needs that carries a request out once. */
export interface IdempotencyParts {
  readonly outbound: Outbound
  /** For how long an answer is given again, in milliseconds. */
  readonly window: number
  readonly answers: KeyedAnswers
  /** What is asked before a call is made: the route's cache, and what it shares. */
  readonly inner?: FindAnswer | undefined
}

/** Every other method can be repeated as it is (RFC 9110 §9.2.2). */
const METHODS: ReadonlySet<string> = new Set(['POST', 'PATCH'])

const CONDITIONS = ['if-match', 'if-none-match', 'if-unmodified-since', 'range'] as const

/**
 * Carries a request with an `Idempotency-Key` out once: its repeats get the answer of the first, which is made
 * to its end also when its client has left. Other requests, and those of nobody in particular, go to `end`.
 */
export function idempotent(parts: IdempotencyParts, end: Handler<GatewayEnv>): Handler<GatewayEnv> {
  const scopeOf = callerScope(parts.outbound.route)
  return (c, next) => {
    const { incoming } = c.env
    const value = incoming.headers['idempotency-key']
    if (value === undefined || incoming.upgraded !== undefined) return end(c, next)
    if (!METHODS.has(c.get('exchange').method)) return end(c, next)
    const key = parseIdempotencyKey(String(value))
    const scope = scopeOf(c)
    return scope === undefined ? end(c, next) : once(c, nameOf(scope, key), parts)
  }
}

async function once(
  c: Context<GatewayEnv>,
  name: string,
  parts: IdempotencyParts,
): Promise<Response> {
  const { outbound, answers, window } = parts
  const body = await wholeBody(c, outbound.transfer.body)
  const fingerprint = fingerprintIn(c, body)
  const isFailure = outbound.route.primary.protocol === 'http' ? undefined : tellsError
  return await serveFrom(c, outbound, async () => {
    const claim = await step(c, 'idempotency', () =>
      answers.claim(name, fingerprint, window, isFailure),
    )
    tellReplayed(c, claim.role === 'reader')
    switch (claim.role) {
      case 'mismatch':
        throw reused()
      case 'too_large':
        throw tooLarge()
      case 'reader':
        // What the first has paid for nobody pays again.
        return { recording: claim.recording, how: { ...unkept(parts), hitCost: 0 } }
      case 'recorder':
        return await lead(c, body, parts, claim.recorder)
    }
  })
}

/** Makes the first answer, or finds it where the route keeps or shares answers without being asked to. */
async function lead(
  c: Context<GatewayEnv>,
  body: Buffer,
  parts: IdempotencyParts,
  recorder: KeyedRecorder,
): Promise<Answered> {
  const { outbound, inner } = parts
  const { recording } = recorder
  try {
    const found = await inner?.(c, body)
    if (found?.recording.joinable) {
      passOn(found.recording, recorder)
      return { recording, how: found.how }
    }
  } catch (error) {
    recorder.fail(new RefusedAnswer(error instanceof Error ? error : new Error(String(error)), []))
    throw error
  }
  void recordAnswer(c, outbound, body.length === 0 ? null : body, recorder)
  return { recording, how: unkept(parts) }
}

/** What a route that keeps or shares answers says of one that is neither. */
function unkept({ inner }: IdempotencyParts): Pick<Origin, 'cache'> {
  return inner === undefined ? {} : { cache: 'bypass' }
}

/** Under which the answer is kept: whoever reads it there learns neither the caller nor the key. */
function nameOf(scope: string, key: string): string {
  // As JSON, since UTF-8 has one and the same for all halves of a character.
  return createHash('sha256')
    .update(JSON.stringify([scope, key]))
    .digest('base64url')
}

function fingerprintIn(c: Context<GatewayEnv>, body: Buffer): string {
  const { target, headers } = c.env.incoming
  return fingerprintOf({
    method: c.get('exchange').method,
    path: target.ok ? target.path : '',
    query: target.ok ? target.query : '',
    contentType: headers['content-type'],
    conditions: CONDITIONS.map((name) => headers[name]),
    body,
  })
}

const REPLAYED = 'idempotent-replayed'

/** Says whether the answer is that of an earlier request, also when it has to be found a second time. */
function tellReplayed(c: Context<GatewayEnv>, replayed: boolean): void {
  const { headers } = c.get('exchange')
  const at = headers.indexOf(REPLAYED)
  if (replayed && at === -1) headers.push(REPLAYED, 'true')
  else if (!replayed && at !== -1) headers.splice(at, 2)
}

function reused(): GatewayError {
  const message = 'This Idempotency-Key came with another request before.'
  return new GatewayError('idempotency_key_reused', message)
}

function tooLarge(): GatewayError {
  const message =
    'A request with this Idempotency-Key was carried out, and its answer was not kept.'
  return new GatewayError('idempotent_answer_too_large', message)
}
