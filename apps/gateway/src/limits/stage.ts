import type { Decision, Lease } from '@tidegate/rate-limit'
import { rateLimitHeaders } from '@tidegate/rate-limit/http'
import type { Exchange } from '@tidegate/server'
import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import type { Gate } from '../gates.ts'
import type { BodyLimits } from '../handlers/body.ts'
import { meterTokens, readTokenRequest } from '../usage/metering.ts'
import { tokensToReserve } from '../usage/reservation.ts'
import { denialOf, neverOf } from './denial.ts'
import type { LimitHit, Limits } from './limits.ts'
import { asksOf, type LimitPlan, type Quota } from './plan.ts'

/** What the stage of a route's limits needs. */
export interface LimitStageParts {
  readonly limits: Limits
  readonly plan: LimitPlan
  readonly body: BodyLimits
  readonly onHit: (exchange: Exchange, hit: LimitHit) => void
}

/**
 * Holds a request against the limits of its route, all in one step: every one of them is charged or none
 * is. What is held for it, a slot and tokens, is given back when its response has ended, whatever the
 * end: a stream's or a WebSocket's slot is taken for as long as it lasts.
 */
export function limit(parts: LimitStageParts): Gate {
  return (c) => {
    const quota = parts.plan.quotaFor(c.get('identity'))
    if (quota === undefined) return undefined
    return quota.alone === undefined
      ? holdToAll(c, quota, parts)
      : holdToOne(c, quota, quota.alone, parts)
  }
}

/** Nothing is held, and most stores answer at once. */
function holdToOne(
  c: Context<GatewayEnv>,
  quota: Quota,
  policy: string,
  { limits, onHit }: LimitStageParts,
): void | Promise<void> {
  const exchange = c.get('exchange')
  const decided = (decision: Decision): void => {
    tell(exchange, [decision])
    if (!decision.allowed) throw denialOf(decision)
  }
  const [ask] = asksOf(quota, c.get('identity'), exchange.clientIp)
  if (ask === undefined) return undefined
  const decision = limits.check(policy, ask, (hit) => onHit(exchange, hit))
  return decision instanceof Promise ? decision.then(decided) : decided(decision)
}

async function holdToAll(
  c: Context<GatewayEnv>,
  quota: Quota,
  { limits, body, onHit }: LimitStageParts,
): Promise<void> {
  const exchange = c.get('exchange')
  const request = quota.tokens === undefined ? undefined : await readTokenRequest(c, body)
  const tokens = request && reserved(quota, tokensToReserve(request.estimate, capacityOf(quota)))
  const asks = asksOf(quota, c.get('identity'), exchange.clientIp, tokens)
  const admission = await limits.acquire(asks, (hit) => onHit(exchange, hit))
  tell(exchange, admission.decisions)
  if (!admission.allowed) throw denialOf(admission)
  const { lease } = admission
  if (request !== undefined && tokens !== undefined) {
    meterTokens(c, request, reservationOf(lease, tokens, quota, limits))
  }
  if (quota.holds) giveBack(c, limits, lease)
}

function capacityOf({ tokens }: Quota): number {
  return tokens?.capacity ?? Number.POSITIVE_INFINITY
}

/** What to hold; nothing of it is charged when it could never be had. */
function reserved({ tokens }: Quota, amount: number): number {
  if (tokens === undefined || amount <= tokens.capacity) return amount
  throw neverOf(tokens.name, amount, tokens.capacity)
}

function reservationOf(
  lease: Lease<string>,
  amount: number,
  { tokens }: Quota,
  { keeper }: Limits,
): Parameters<typeof meterTokens>[2] {
  return {
    amount,
    settle: (actual) => keeper.settle(lease, actual, tokens?.name),
    refund: () => keeper.settle(lease, 0, tokens?.name),
  }
}

/** After the tokens have been settled, which `close` does first: they were metered before. */
function giveBack(c: Context<GatewayEnv>, { keeper }: Limits, lease: Lease<string>): void {
  const { incoming, outgoing } = c.env
  // The client may have left while its limits were asked: then nothing more is heard.
  if (outgoing.closed || incoming.upgraded?.socket.destroyed) {
    lease.release().catch(() => {})
    return
  }
  keeper.keep(lease)
  outgoing.once('close', () => {
    const settled = c.get('tokens')?.until
    if (settled === undefined) {
      keeper.end(lease)
      return
    }
    // Its call answers others: the slot is free, and the tokens are held until it is known how many.
    keeper.free(lease)
    void settled.then(() => keeper.end(lease))
  })
}

const FORMS = { forms: ['draft', 'openai'] } as const

/** Every answer says what is left; when to come back, the refusal itself says. */
function tell(exchange: Exchange, decisions: readonly Decision[]): void {
  const headers = rateLimitHeaders(decisions, FORMS)
  for (const name in headers) exchange.headers.push(name, headers[name] ?? '')
}
