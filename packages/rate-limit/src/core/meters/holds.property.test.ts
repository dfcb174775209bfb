import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../memory-store.ts'
import { budget, concurrency, type Rule } from '../rules.ts'
import type { StoreAction } from '../store.ts'

const step = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 15 }) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 80 }) },
  { weight: 1, arbitrary: fc.integer({ min: -500, max: -1 }) },
)
const commands = fc.array(
  fc.record({
    step,
    action: fc.constantFrom<StoreAction>('take', 'take', 'renew', 'release', 'settle'),
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    amount: fc.integer({ min: 0, max: 40 }),
  }),
  { maxLength: 80, size: 'max' },
)

function open(rule: Rule) {
  const store = memoryStore()
  const limit = { policy: 'p', rule }
  let clock = 1_800_000_000_000
  let at = 0
  return {
    move(ms: number): number {
      clock += ms
      at += Math.max(0, ms)
      return at
    },
    ask(action: StoreAction, amount: number, id?: string, estimate?: number) {
      const [verdict] = store.decide('s', [{ limit, action, amount, id, estimate }], clock)
      if (verdict === undefined) throw new TypeError('no verdict')
      return verdict
    },
  }
}

describe('concurrency', () => {
  it('holds what a list of slots with their ends would hold', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 300 }),
        commands,
        (limit, ttlMs, list) => {
          const { ask, move } = open(concurrency({ limit, ttlMs }))
          const slots = new Map<string, { cost: number; until: number }>()
          const held = () => [...slots.values()].reduce((total, { cost }) => total + cost, 0)
          for (const { step: ms, action, id, amount } of list) {
            const at = move(ms)
            for (const [key, { until }] of slots) if (until <= at) slots.delete(key)
            const slot = slots.get(id)
            const cost = slot?.cost ?? 1 + (amount % limit)
            if (action === 'take') {
              const fits = slot !== undefined || held() + cost <= limit
              expect(ask('take', cost, id).applied).toBe(fits)
              if (fits) slots.set(id, { cost, until: at + ttlMs })
            } else if (action === 'renew') {
              expect(ask('renew', 0, id).applied).toBe(slot !== undefined)
              if (slot !== undefined) slots.set(id, { cost, until: at + ttlMs })
            } else expect(ask('release', 0, id).applied).toBe(slots.delete(id))
            const last = Math.max(at, ...[...slots.values()].map(({ until }) => until))
            expect(ask('peek', 0)).toMatchObject({ remaining: limit - held(), resetMs: last - at })
          }
          const { retryAfterMs } = ask('peek', limit)
          if (retryAfterMs === 0) return
          move(retryAfterMs - 1)
          expect(ask('peek', limit).allowed).toBe(false)
          move(1)
          expect(ask('peek', limit).allowed).toBe(true)
        },
      ),
    )
  })
})

describe('budget', () => {
  const budgets = fc.record({
    limit: fc.integer({ min: 1, max: 60 }),
    burst: fc.integer({ min: 40, max: 90 }),
    windowMs: fc.integer({ min: 1, max: 1_000 }),
    ttlMs: fc.integer({ min: 1, max: 2_000 }),
  })

  it('stands after every settlement as if the actual amount had been taken at first', () => {
    fc.assert(
      fc.property(budgets, commands, (options, list) => {
        const { limit, burst, windowMs, ttlMs } = options
        const { ask, move } = open(budget(options))
        const charges: { at: number; amount: number }[] = []
        const open_ = new Map<string, { charge: { at: number; amount: number }; until: number }>()
        // The history as it turned out: whatever came back was never taken.
        const debt = (at: number) =>
          charges.reduce((owed, _, index) => {
            const since = charges.slice(index)
            const amount = since.reduce((total, charge) => total + charge.amount, 0)
            return Math.max(owed, amount * windowMs - limit * (at - (since[0]?.at ?? at)))
          }, 0)
        for (const { step: ms, action, id, amount } of list) {
          const at = move(ms)
          for (const [key, { until }] of open_) if (until <= at) open_.delete(key)
          const reservation = open_.get(id)
          if (action === 'take') {
            const fits =
              reservation !== undefined || debt(at) + amount * windowMs <= burst * windowMs
            expect(ask('take', amount, id).applied).toBe(fits)
            if (reservation !== undefined) reservation.until = at + ttlMs
            else if (fits) {
              const charge = { at, amount }
              charges.push(charge)
              open_.set(id, { charge, until: at + ttlMs })
            }
          } else if (action === 'renew') {
            expect(ask('renew', 0, id).applied).toBe(reservation !== undefined)
            if (reservation !== undefined) reservation.until = at + ttlMs
          } else if (action === 'release') {
            expect(ask('release', 0, id).applied).toBe(open_.delete(id))
          } else {
            const estimate = reservation?.charge.amount ?? 20
            expect(ask('settle', amount, id, estimate).applied).toBe(open_.delete(id))
            if (amount > estimate) charges.push({ at, amount: amount - estimate })
            else if (reservation !== undefined) reservation.charge.amount = amount
          }
          const room = Math.floor((burst * windowMs - debt(at)) / windowMs)
          expect(ask('peek', 0).remaining).toBe(Math.max(0, room))
        }
      }),
      { numRuns: 500 },
    )
  })
})
