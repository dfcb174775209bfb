import type { Exchange } from '@tidegate/server'
import type { Context } from 'hono'
import type { AuthMode } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { Gate } from '../gates.ts'
import type { GatewayError } from '../problems.ts'
import type { Callers, Judged } from './callers.ts'
import type { FailureGuard } from './failure-guard.ts'
import type { Identity } from './identity.ts'
import { type Presented, presentedKeys } from './presented.ts'
import { missing, refusalOf, tooManyFailures } from './refusals.ts'
import type { Known, TokenFault } from './verdict.ts'

/** How many headers of one name are looked at. */
const MOST_JOINED = 4

/** Why somebody was not let in. */
export interface AuthFailure {
  readonly reason: 'missing' | 'unknown' | 'insufficient' | TokenFault
  readonly header?: string
}

/** What authentication works with. */
export interface AuthParts {
  readonly callers: Callers
  /** Absent: guesses are answered without end. */
  readonly guard: FailureGuard | undefined
  readonly onFailure: (exchange: Exchange, failure: AuthFailure) => void
  /** A credential was good. */
  readonly onUse: (exchange: Exchange, identity: Identity) => void
}

/**
 * Lets a request with a good credential pass as its owner. Without any it is refused where the route
 * requires one; one that isn't good is refused also where none is needed, as its sender believes to be
 * somebody.
 */
export function authenticate(mode: Exclude<AuthMode, 'none'>, parts: AuthParts): Gate {
  const { callers, onFailure } = parts
  return (c) => {
    const exchange = c.get('exchange')
    const presented = presentedKeys(c.env.incoming.headers)
    if (presented.length === 0) {
      if (mode === 'optional') return undefined
      onFailure(exchange, { reason: 'missing' })
      throw missing(callers.takesTokens)
    }
    stopGuessing(exchange, presented, parts)
    const decided = (judged: readonly Judged[]): void => {
      const owner = judged.find(isKnown)
      if (owner === undefined) throw refuse(exchange, judged, parts)
      admit(c, owner.verdict.identity, judged, parts)
    }
    // Not awaited where there is nothing to wait for.
    const judged = callers.judge(presented)
    return judged instanceof Promise ? judged.then(decided) : decided(judged)
  }
}

function stopGuessing(
  { clientIp }: Exchange,
  presented: readonly Presented[],
  { callers, guard }: AuthParts,
): void {
  const wait = guard?.blockedFor(clientIp) ?? 0
  if (guard === undefined || wait === 0) return
  const isKnownThere = presented.some((each) => {
    const identity = callers.recall(each)
    return identity !== undefined && guard.knows(clientIp, callerOf(identity))
  })
  if (!isKnownThere) throw tooManyFailures(wait)
}

function admit(
  c: Context<GatewayEnv>,
  identity: Identity,
  judged: readonly Judged[],
  { callers, guard, onUse }: AuthParts,
): void {
  const exchange = c.get('exchange')
  exchange.client = identity.id
  c.set('identity', identity)
  // A client may send its credential in several headers, or an old token beside: none of them goes on.
  const ours = judged.filter(
    ({ verdict, presented }) => verdict.kind !== 'unknown' || isOurs(presented, callers),
  )
  c.set(
    'consumedHeaders',
    ours.map(({ presented }) => presented.header),
  )
  guard?.succeeded(exchange.clientIp, callerOf(identity))
  onUse(exchange, identity)
}

/** Nobody was asked about it, or Node has joined several of that name into one. */
function isOurs({ header, key }: Presented, callers: Callers): boolean {
  const parts = [key, ...key.split(', ', MOST_JOINED)]
  return parts.some((part) => callers.recall({ header, key: part }) !== undefined)
}

function refuse(
  exchange: Exchange,
  judged: readonly Judged[],
  { guard, onFailure }: AuthParts,
): GatewayError {
  for (const { presented, verdict } of judged) {
    const isGuess = verdict.kind === 'unknown' || (verdict.kind === 'rejected' && !verdict.genuine)
    if (isGuess) void guard?.failed(exchange.clientIp, presented.key)
  }
  const { error, failure } = refusalOf(judged)
  if (failure !== undefined) onFailure(exchange, failure)
  return error
}

function isKnown(judged: Judged): judged is Judged & { readonly verdict: Known } {
  return judged.verdict.kind === 'known'
}

function callerOf({ kind, id }: Identity): string {
  return `${kind}:${id}`
}
