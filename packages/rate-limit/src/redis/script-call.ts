import { hash } from 'node:crypto'
import { groupMsOf } from '../core/meters/sliding-window.ts'
import { termsOf } from '../core/meters/token-bucket.ts'
import { quotaLeaseTermsOf } from '../core/quota-lease-terms.ts'
import { capacityOf, type Rule } from '../core/rules.ts'
import { type Limit, NOTHING_TAKEN, type StoreRequest } from '../core/store.ts'
import type { BackendAsk } from './backend.ts'
import type { LimiterKeys } from './limiter-keys.ts'

const BRACKET = 91

const rulesAsJson = new WeakMap<Limit, string>()

/** What one call of the script is given, as `decideLua` reads it. */
export class ScriptCall {
  readonly asks: readonly BackendAsk[]
  readonly keys: string[] = []
  readonly argument: string
  readonly #numbers = new Map<Limit, number>()

  constructor(asks: readonly BackendAsk[], keys: LimiterKeys) {
    let asked = ''
    for (const ask of asks) asked += `${asked === '' ? '' : ','}${this.#askJson(ask, keys)}`
    this.asks = asks
    this.argument = `[[${[...this.#numbers.keys()].map(ruleJson).join()}],[${asked}]]`
  }

  #askJson({ subject, requests, count, wants }: BackendAsk, keys: LimiterKeys): string {
    let json = ''
    for (const [at, request] of requests.entries()) {
      this.keys.push(keys.of(subject, request.limit))
      json += `,${this.#requestJson(request, wants[at] ?? 0)}`
    }
    const single = count === 1 && requests.length === 1 && json.charCodeAt(1) !== BRACKET
    return single ? json.slice(1) : `[${count}${json}]`
  }

  #requestJson(request: StoreRequest, want: number): string {
    const { limit, action, amount, id, estimate, stamp } = request
    const rule = this.#numberOf(limit)
    if (action === 'take' && id === undefined && want === 0) {
      return amount === 1 ? `${rule}` : `[${rule},${amount}]`
    }
    const extra = action === 'refund' ? (stamp ?? NOTHING_TAKEN) : (estimate ?? 0)
    return `[${rule},${amount},"${action}","${holderOf(id)}",${extra},${want}]`
  }

  #numberOf(limit: Limit): number {
    const known = this.#numbers.get(limit)
    if (known !== undefined) return known
    const number = this.#numbers.size + 1
    this.#numbers.set(limit, number)
    return number
  }
}

function ruleJson(limit: Limit): string {
  const known = rulesAsJson.get(limit)
  if (known !== undefined) return known
  const { rule } = limit
  const { kind } = rule
  const shadow = rule.shadow || undefined
  const lease = quotaLeaseTermsOf(rule)
  const json = JSON.stringify({
    kind,
    shadow,
    capacity: capacityOf(rule),
    ...termsFor(rule),
    lease,
  })
  rulesAsJson.set(limit, json)
  return json
}

function termsFor(rule: Rule): Readonly<Record<string, number>> {
  switch (rule.kind) {
    case 'token-bucket':
    case 'budget': {
      const { rate, capacity } = termsOf(rule)
      const terms = { ...rate, units: capacity }
      return rule.kind === 'budget' ? { ...terms, ttlMs: rule.ttlMs } : terms
    }
    case 'sliding-window':
      return { windowMs: rule.windowMs, groupMs: groupMsOf(rule) }
    case 'fixed-window':
      return { windowMs: rule.windowMs }
    case 'concurrency':
      return { ttlMs: rule.ttlMs }
  }
}

/** A session's id may be a secret, so others see its hash; nobody's is empty. */
function holderOf(id: string | undefined): string {
  return id === undefined ? '' : hash('sha256', id, 'base64url').slice(0, 22)
}
