import { randomUUID } from 'node:crypto'
import type { Rule } from '../core/rules.ts'
import type { Limit, Store, StoreAction, StoreRequest, Verdict } from '../core/store.ts'

/** A store to be examined, and its clock. */
export interface StoreHarness {
  readonly store: Store
  /** What the store is given as `now`; one with a clock of its own ignores it. */
  now(): number
  /** Lets at least so many milliseconds pass: moves the clock, or waits when the store has its own. */
  advance(ms: number): void | Promise<void>
  /** Whether time stands still but for `advance`, so that every millisecond can be checked. */
  readonly exact: boolean
  /** Called at the end of each case. */
  close?(): void | Promise<void>
}

/** One thing that a store has to do. */
export interface ConformanceCase {
  readonly name: string
  run(open: () => StoreHarness | Promise<StoreHarness>): Promise<void>
}

/** A case, with a store opened for it and closed after it. */
export function conformanceCase(
  name: string,
  body: (probe: Probe) => Promise<void>,
): ConformanceCase {
  return {
    name,
    async run(open) {
      const harness = await open()
      try {
        await body(new Probe(harness))
      } finally {
        await harness.close?.()
      }
    },
  }
}

/** How something is asked beside its amount. */
export type Details = Pick<StoreRequest, 'id' | 'estimate' | 'stamp'>

/** Asks a store about one subject that nobody else uses. */
export class Probe {
  readonly harness: StoreHarness
  readonly subject: string = randomUUID()

  constructor(harness: StoreHarness) {
    this.harness = harness
  }

  limit(rule: Rule, policy = 'probe'): Limit {
    return { policy, rule }
  }

  async ask(requests: readonly StoreRequest[], subject = this.subject): Promise<Verdict[]> {
    return [...(await this.harness.store.decide(subject, requests, this.harness.now()))]
  }

  async one(
    limit: Limit,
    action: StoreAction,
    amount: number,
    details: Details = {},
    subject = this.subject,
  ): Promise<Verdict> {
    const [verdict] = await this.ask([{ limit, action, amount, ...details }], subject)
    if (verdict === undefined) throw new TypeError('The store gave no verdict.')
    return verdict
  }

  take(limit: Limit, amount = 1, id?: string): Promise<Verdict> {
    return this.one(limit, 'take', amount, { id })
  }

  refund(limit: Limit, amount: number, { stamp }: Verdict): Promise<Verdict> {
    return this.one(limit, 'refund', amount, { stamp })
  }
}
