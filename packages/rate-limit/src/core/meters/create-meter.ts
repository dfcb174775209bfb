import type { Rule } from '../rules.ts'
import { BudgetMeter } from './budget.ts'
import { FixedWindowMeter } from './fixed-window.ts'
import type { Meter } from './meter.ts'
import { SlidingWindowMeter } from './sliding-window.ts'
import { SlotsMeter } from './slots.ts'
import { TokenBucketMeter, termsOf } from './token-bucket.ts'

/** How fresh meters of a rule are made. What all of them share is computed once. */
export function meterFactory(rule: Rule): (now: number) => Meter {
  switch (rule.kind) {
    case 'token-bucket': {
      const terms = termsOf(rule)
      return (now) => new TokenBucketMeter(terms, now)
    }
    case 'budget': {
      const terms = termsOf(rule)
      return (now) => new BudgetMeter(terms, rule, now)
    }
    case 'sliding-window':
      return (now) => new SlidingWindowMeter(rule, now)
    case 'fixed-window':
      return (now) => new FixedWindowMeter(rule, now)
    case 'concurrency':
      return (now) => new SlotsMeter(rule, now)
  }
}
