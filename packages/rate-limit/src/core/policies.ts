import { InvalidRequestError, NeverAllowedError } from './errors.ts'
import { capacityOf, isRule, type Rule } from './rules.ts'
import type { Limit, StoreRequest } from './store.ts'

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/

const MAX_ID_LENGTH = 256

/** A block may last about as long as a window may, and a penalty stays countable. */
const MAX_BLOCK_MS = 2 ** 42
const MAX_PENALTY = 2 ** 32

/** One policy of a subject and what is asked of it; a name alone costs 1. */
export type PolicyRequest<Name extends string = string> =
  | Name
  | { readonly policy: Name; readonly cost?: number | undefined }

/** A request to the store that knows the limiter's own names. */
export interface Asked<Name extends string> extends StoreRequest {
  readonly limit: Limit & { readonly policy: Name }
}

/** The policies of a limiter: makes checked requests of what a caller asks. */
export class Policies<Name extends string> {
  readonly #limits = new Map<string, Asked<Name>['limit']>()
  /** What is asked most, a cost of 1, made once. */
  readonly #charges = new Map<string, Asked<Name>>()

  constructor(rules: Readonly<Record<Name, Rule>>) {
    for (const policy of Object.keys(rules) as Name[]) {
      if (!NAME.test(policy)) {
        throw new InvalidRequestError(
          `Policy "${policy}": a name is 1 to 64 lower-case letters, digits, "-", "_" and ".".`,
        )
      }
      if (!isRule(rules[policy])) {
        throw new InvalidRequestError(
          `Policy "${policy}": make it with tokenBucket, slidingWindow, fixedWindow, concurrency or budget.`,
        )
      }
      const limit = Object.freeze({ policy, rule: rules[policy] })
      this.#limits.set(policy, limit)
      if (limit.rule.kind === 'concurrency') continue
      this.#charges.set(policy, Object.freeze({ limit, action: 'take', amount: 1 }))
    }
  }

  peek(policy: Name, cost?: number): Asked<Name> {
    return this.#ask('peek', policy, cost)
  }

  charge(policy: Name, cost?: number): Asked<Name> {
    const charge = cost === undefined ? this.#charges.get(policy) : undefined
    return charge ?? withoutSlots(this.#ask('take', policy, cost))
  }

  /** The charge of 1 where that is all that is asked, and nothing is held by it. */
  plainCharge(
    requests: PolicyRequest<Name> | readonly PolicyRequest<Name>[],
  ): Asked<Name> | undefined {
    const list = typeof requests === 'string' || 'policy' in requests ? [requests] : requests
    const [one] = list
    if (typeof one !== 'string' || list.length !== 1) return undefined
    const charge = this.#charges.get(one)
    return charge === undefined || isHeld(charge.limit) ? undefined : charge
  }

  chargeAll(requests: readonly PolicyRequest<Name>[]): readonly Asked<Name>[] {
    return this.#askAll(requests).map(withoutSlots)
  }

  hold(requests: readonly PolicyRequest<Name>[], id: string): readonly Asked<Name>[] {
    if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH) {
      throw new InvalidRequestError(`An id is text of 1 to ${MAX_ID_LENGTH} characters.`)
    }
    return this.#askAll(requests, id)
  }

  penalty(policy: Name, cost: number): Asked<Name> {
    const amount = checkAmount(cost, MAX_PENALTY)
    return withoutSlots({ limit: this.#limit(policy), action: 'penalty', amount })
  }

  block(policy: Name, durationMs: number): Asked<Name> {
    const amount = checkAmount(durationMs, MAX_BLOCK_MS)
    return { limit: this.#limit(policy), action: 'block', amount }
  }

  reset(policy: Name): Asked<Name> {
    return { limit: this.#limit(policy), action: 'reset', amount: 0 }
  }

  #limit(policy: Name): Asked<Name>['limit'] {
    const limit = this.#limits.get(policy)
    if (limit !== undefined) return limit
    const known = [...this.#limits.keys()].join(', ')
    throw new InvalidRequestError(`There is no policy "${policy}". Known: ${known}.`)
  }

  #ask(action: 'take' | 'peek', policy: Name, cost = 1): Asked<Name> {
    const limit = this.#limit(policy)
    const amount = checkAmount(cost, Number.MAX_SAFE_INTEGER)
    if (!limit.rule.shadow && amount > capacityOf(limit.rule)) {
      throw new NeverAllowedError(policy, amount, capacityOf(limit.rule))
    }
    return { limit, action, amount }
  }

  #askAll(requests: readonly PolicyRequest<Name>[], id?: string): readonly Asked<Name>[] {
    const asked = requests.map((one) => this.#take(one, id))
    if (asked.length === 1) return asked
    const names = new Set(asked.map(({ limit }) => limit.policy))
    if (asked.length > 0 && names.size === asked.length) return asked
    throw new InvalidRequestError('Ask at least one policy, and each of them once.')
  }

  #take(one: PolicyRequest<Name>, id: string | undefined): Asked<Name> {
    const asked =
      typeof one === 'string'
        ? (this.#charges.get(one) ?? this.#ask('take', one))
        : this.#ask('take', one.policy, one.cost)
    return id !== undefined && isHeld(asked.limit) ? { ...asked, id } : asked
  }
}

/** Refuses what everybody would share. */
export function checkSubject(subject: string): void {
  if (typeof subject === 'string' && subject !== '') return
  throw new InvalidRequestError(
    'A subject is text that is not empty: all without one would share it.',
  )
}

/** Refuses what can't be counted, up to `most`. */
export function checkAmount(amount: number, most: number): number {
  if (Number.isSafeInteger(amount) && amount >= 0 && amount <= most) return amount
  const found = typeof amount === 'number' ? String(amount) : typeof amount
  throw new InvalidRequestError(`An amount is a whole number from 0 to ${most}, not ${found}.`)
}

/** Whether the limit is of something reserved, to be settled. */
export function isReservation({ rule }: Limit): boolean {
  return rule.kind === 'budget'
}

function isHeld({ rule }: Limit): boolean {
  return rule.kind === 'concurrency' || rule.kind === 'budget'
}

function withoutSlots<Name extends string>(asked: Asked<Name>): Asked<Name> {
  if (asked.limit.rule.kind !== 'concurrency') return asked
  throw new InvalidRequestError(`Policy "${asked.limit.policy}" gives slots: use acquire.`)
}
