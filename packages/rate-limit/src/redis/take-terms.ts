import { termsOf } from '../core/meters/token-bucket.ts'
import type { Limit } from '../core/store.ts'
import type { BackendAsk } from './backend.ts'
import { takeFromBucketScript, takeFromWindowScript } from './script/take-one.ts'

/** What the script for one take is told of a limit. */
export interface TakeTerms {
  readonly limit: Limit
  readonly script: { readonly source: string; readonly sha1: string }
  readonly args: readonly string[]
}

const known = new WeakMap<Limit, TakeTerms | false>()

/** The script that decides this ask alone and nothing else; `undefined` where there is none. */
export function takeTermsOf({ requests, count, wants }: BackendAsk): TakeTerms | undefined {
  const [request] = requests
  if (request === undefined || requests.length > 1 || count > 1 || (wants[0] ?? 0) > 0) return
  const { limit, action, amount, id } = request
  if (action !== 'take' || amount !== 1 || id !== undefined) return
  const terms = known.get(limit) ?? learn(limit)
  return terms || undefined
}

function learn(limit: Limit): TakeTerms | false {
  const terms = termsFor(limit) ?? false
  known.set(limit, terms)
  return terms
}

function termsFor(limit: Limit): TakeTerms | undefined {
  const { rule } = limit
  if (rule.shadow) return
  if (rule.kind === 'token-bucket') {
    const { rate, capacity } = termsOf(rule)
    const args = [rate.perToken, rate.perMs, capacity].map(String)
    return { limit, script: takeFromBucketScript, args }
  }
  if (rule.kind !== 'fixed-window') return
  return { limit, script: takeFromWindowScript, args: [rule.windowMs, rule.limit].map(String) }
}
