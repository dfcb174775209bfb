import { describe, expect, it } from 'vitest'
import { budget, fixedWindow, type Rule, slidingWindow, tokenBucket } from '../core/rules.ts'
import type { StoreRequest } from '../core/store.ts'
import type { BackendAsk } from './backend.ts'
import { takeTermsOf } from './take-terms.ts'

const window = { limit: 100, windowMs: 1_000 }
const takeOf = (rule: Rule): StoreRequest => {
  return { limit: { policy: 'p', rule }, action: 'take', amount: 1 }
}
const askOf = (...requests: StoreRequest[]): BackendAsk => {
  return { subject: 'ada', requests, count: 1, wants: requests.map(() => 0) }
}
const take = takeOf(tokenBucket({ ...window, burst: 20 }))

describe('takeTermsOf', () => {
  it('gives one take of 1 the terms of its bucket or window, made once', () => {
    const terms = takeTermsOf(askOf(take))
    expect(terms).toMatchObject({ limit: take.limit, args: ['10', '1', '200'] })
    expect(takeTermsOf(askOf({ ...take }))).toBe(terms)
    const windowed = takeTermsOf(askOf(takeOf(fixedWindow(window))))
    expect(windowed?.args).toEqual(['1000', '100'])
    expect(windowed?.script.sha1).not.toBe(terms?.script.sha1)
  })

  it.each<[string, BackendAsk]>([
    ['nothing', askOf()],
    ['several policies', askOf(take, takeOf(fixedWindow(window)))],
    ['several callers', { ...askOf(take), count: 2 }],
    ['a lease', { ...askOf(take), wants: [1] }],
    ['a look', askOf({ ...take, action: 'peek' })],
    ['another cost', askOf({ ...take, amount: 2 })],
    ['a hold', askOf({ ...take, id: 'x' })],
    ['a shadow', askOf(takeOf(tokenBucket({ ...window, shadow: true })))],
    ['a sliding window', askOf(takeOf(slidingWindow(window)))],
    ['a budget', askOf(takeOf(budget(window)))],
  ])('has none for %s', (_, ask) => {
    expect(takeTermsOf(ask)).toBeUndefined()
  })
})
