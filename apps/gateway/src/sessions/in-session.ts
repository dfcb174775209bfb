import type { SessionAnswer } from '@tidegate/rate-limit/sessions'
import { requestHeader } from '@tidegate/server'
import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import type { Gate } from '../gates.ts'
import { GatewayError } from '../problems.ts'
import type { SessionGate } from './session-gate.ts'
import { sessionUser } from './session-user.ts'

const SESSION_HEADER = 'x-session-id'

/**
 * Opens or renews the session that a request belongs to: the `sid` of the token it came with, else what
 * its `X-Session-ID` says. The token's comes first, as nobody can choose it. A request of no session
 * passes, and so does any while nobody can tell.
 *
 * The header goes on to services, which may know the session too, and not to AI providers, who have no
 * business with what may be a secret.
 */
export function inSession(gate: SessionGate): Gate {
  return (c) => {
    const { sessionId } = c.get('identity')
    const header = requestHeader(c, SESSION_HEADER)
    if (header !== undefined && c.get('protocol') !== 'http') {
      c.set('consumedHeaders', [...(c.get('consumedHeaders') ?? []), SESSION_HEADER])
    }
    const id = sessionId ?? header
    if (id === undefined) return undefined
    checkId(id, sessionId === undefined)
    const user = sessionUser(c.get('identity'), c.get('exchange'))
    return touch(gate, user, id, clientOf(c))
  }
}

async function touch(
  gate: SessionGate,
  user: string,
  id: string,
  client: string | undefined,
): Promise<void> {
  const answer = await gate.touch(user, id, client)
  if (answer?.allowed === false) throw refusalOf(answer)
}

/** What a session is listed under. */
export function clientOf(c: Context<GatewayEnv>): string | undefined {
  return requestHeader(c, 'user-agent')
}

/** What is said of a session that isn't open. */
export function refusalOf(answer: Exclude<SessionAnswer, { allowed: true }>): GatewayError {
  if (answer.reason === 'ended') {
    const authenticate =
      'Bearer realm="tidegate", error="invalid_token", error_description="The session was ended"'
    return new GatewayError('session_ended', 'This session was ended.', { facts: { authenticate } })
  }
  const { active, limit, retryAfterMs } = answer
  const message =
    active < limit
      ? `Too many of your sessions were ended lately to open another.`
      : `You have ${active} sessions open, of ${limit} that may be.`
  // Worth waiting for only if it is soon: an SDK would hold its caller up.
  const facts = { retryAfterMs, retry: retryAfterMs <= 60_000 }
  return new GatewayError('concurrency_limit_exceeded', message, { facts })
}

const VISIBLE_ASCII = /^[\x21-\x7e]{1,256}$/

function checkId(id: string, fromHeader: boolean): void {
  if (fromHeader ? VISIBLE_ASCII.test(id) : id !== '' && id.length <= 1_024) return
  const place = fromHeader ? 'X-Session-ID' : "token's sid"
  throw new GatewayError('invalid_session_id', `The ${place} is no session id.`)
}
