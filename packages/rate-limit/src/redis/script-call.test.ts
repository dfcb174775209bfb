import { describe, expect, it } from 'vitest'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from '../core/rules.ts'
import type { StoreRequest } from '../core/store.ts'
import { LimiterKeys } from './limiter-keys.ts'
import { ScriptCall } from './script-call.ts'

const window = { limit: 100, windowMs: 1_000 }
const bucket = { policy: 'bucket', rule: tokenBucket(window) }
const leased = { policy: 'leased', rule: tokenBucket({ ...window, precision: 'leased' }) }
const tokens = { policy: 'tokens', rule: budget({ ...window, shadow: true }) }

const callOf = (...asks: readonly (readonly StoreRequest[])[]) =>
  new ScriptCall(
    asks.map((requests) => ({ subject: 'ada', requests, count: 1, wants: [] })),
    new LimiterKeys('app'),
  )

describe('ScriptCall', () => {
  it('tells each rule once and a take of 1 by nothing but its rule', () => {
    const take = { limit: bucket, action: 'take', amount: 1 } as const
    const { keys, argument } = callOf([take], [take], [{ ...take, amount: 2 }])
    const rule = { kind: 'token-bucket', capacity: 100, perToken: 10, perMs: 1, units: 1_000 }
    expect(JSON.parse(argument)).toEqual([[rule], [1, 1, [1, [1, 2]]]])
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
  })

  it('tells terms and wants of leases, callers, holders, estimates and stamps', () => {
    const { argument } = new ScriptCall(
      [
        {
          ...{ subject: 'ada', count: 7, wants: [30, 0] },
          requests: [
            { limit: leased, action: 'take', amount: 1 },
            { limit: bucket, action: 'take', amount: 1 },
          ],
        },
        {
          ...{ subject: 'eve', count: 1, wants: [0, 0, 0] },
          requests: [
            { limit: tokens, action: 'settle', amount: 5, id: 'secret', estimate: 9 },
            { limit: bucket, action: 'refund', amount: 1, stamp: 2 ** 53 - 1 },
            { limit: leased, action: 'refund', amount: 1 },
          ],
        },
      ],
      new LimiterKeys('app'),
    )
    const [rules, asks] = JSON.parse(argument)
    expect(rules).toMatchObject([
      { lease: { escrow: 50, epochMs: 250, strict: true } },
      { kind: 'token-bucket' },
      { kind: 'budget', shadow: true, ttlMs: 600_000 },
    ])
    expect(asks).toEqual([
      [7, [1, 1, 'take', '', 0, 30], 2],
      [
        1,
        [3, 5, 'settle', expect.stringMatching(/^[\w-]{22}$/), 9, 0],
        [2, 1, 'refund', '', 2 ** 53 - 1, 0],
        [1, 1, 'refund', '', -1, 0],
      ],
    ])
    expect(argument).not.toMatch(/secret|ada|eve/)
  })

  it('tells the numbers of every kind', () => {
    const rules = [
      slidingWindow({ limit: 64, windowMs: 3_200 }),
      fixedWindow(window),
      concurrency({ limit: 4, ttlMs: 9 }),
    ]
    const peeks = rules.map((rule) => {
      return { limit: { policy: rule.kind, rule }, action: 'peek', amount: 1 } as const
    })
    expect(JSON.parse(callOf(peeks).argument)[0]).toEqual([
      { kind: 'sliding-window', capacity: 64, windowMs: 3_200, groupMs: 100 },
      { kind: 'fixed-window', capacity: 100, windowMs: 1_000 },
      { kind: 'concurrency', capacity: 4, ttlMs: 9 },
    ])
  })
})
