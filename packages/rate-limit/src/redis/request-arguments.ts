import { hash } from 'node:crypto'
import { groupMsOf } from '../core/meters/sliding-window.ts'
import { termsOf } from '../core/meters/token-bucket.ts'
import { capacityOf, type Rule } from '../core/rules.ts'
import type { Limit, StoreRequest } from '../core/store.ts'

const known = new WeakMap<Limit, readonly (string | number)[]>()

/** One request as the script reads it: what is asked, then the rule's kind, capacity and terms. */
export function requestArguments(request: StoreRequest): readonly (string | number)[] {
  const { action, amount, id, estimate = 0, limit } = request
  return [action, amount, holderOf(id), estimate, limit.rule.shadow ? 1 : 0, ...rulePart(limit)]
}

function rulePart(limit: Limit): readonly (string | number)[] {
  const made = known.get(limit)
  if (made !== undefined) return made
  const { rule } = limit
  const part = [rule.kind, capacityOf(rule), ...termsFor(rule)]
  known.set(limit, part)
  return part
}

/** In the order of the kind's `terms` in the script. */
function termsFor(rule: Rule): readonly number[] {
  switch (rule.kind) {
    case 'token-bucket':
    case 'budget': {
      const { rate, capacity } = termsOf(rule)
      const terms = [rate.perToken, rate.perMs, capacity]
      return rule.kind === 'budget' ? [...terms, rule.ttlMs] : terms
    }
    case 'sliding-window':
      return [rule.windowMs, groupMsOf(rule)]
    case 'fixed-window':
      return [rule.windowMs]
    case 'concurrency':
      return [rule.ttlMs]
  }
}

/** A session's id may be a secret, so others see its hash; nobody's is empty. */
function holderOf(id: string | undefined): string {
  return id === undefined ? '' : hash('sha256', id, 'base64url').slice(0, 22)
}
