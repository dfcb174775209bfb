import type { Exchange } from '@tidegate/server'
import { describe, expect, it } from 'vitest'
import { type AnswerHead, clientHeaders } from './answer-head.ts'

const head = (headers: readonly string[], more: Partial<AnswerHead> = {}): AnswerHead => ({
  ...{ status: 200, message: 'OK', headers, upstream: 'openai', attempts: 2, stream: false },
  ...more,
})

const ours = (...headers: string[]) => ({ headers }) as unknown as Exchange

describe('clientHeaders', () => {
  it('lets ours hold where it is our word, and the upstream elsewhere', () => {
    const recorded = head(['ratelimit', 'theirs', 'referrer-policy', 'theirs', 'x-a', '1'])
    const exchange = ours('x-request-id', 'mine', 'referrer-policy', 'ours', 'vary', 'origin')
    expect(clientHeaders(recorded, exchange, {})).toEqual([
      ...['ratelimit', 'theirs', 'referrer-policy', 'theirs', 'x-a', '1'],
      ...['x-request-id', 'mine', 'vary', 'origin'],
      ...['x-tidegate-upstream', 'openai', 'x-tidegate-attempts', '2'],
    ])
  })

  it('gives a cookie to nobody but the one who led to the answer', () => {
    const recorded = head(['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-a', '1'])
    for (const cache of ['hit', 'stale', 'coalesced'] as const) {
      expect(clientHeaders(recorded, ours(), { cache })).not.toContain('set-cookie')
    }
    for (const cache of ['miss', 'bypass', undefined] as const) {
      expect(clientHeaders(recorded, ours(), { cache })).toContain('set-cookie')
    }
  })

  it('adds the time that an answer was kept to the age that it had', () => {
    const aged = clientHeaders(head(['age', '40']), ours(), { cache: 'hit', ageSeconds: 2 })
    expect(aged.slice(0, 2)).toEqual(['age', '42'])
    const odd = clientHeaders(head(['age', 'old']), ours(), { ageSeconds: 2 })
    expect(odd.slice(0, 2)).toEqual(['age', '2'])
    const live = clientHeaders(head(['age', '40']), ours(), { cache: 'coalesced' })
    expect(live.slice(0, 2)).toEqual(['age', '40'])
  })

  it('tells how often upstreams were asked only of a call just made', () => {
    const told = clientHeaders(head([]), ours(), { cache: 'hit', ageSeconds: 0 })
    expect(told).toEqual(['age', '0', 'x-tidegate-upstream', 'openai', 'x-tidegate-cache', 'hit'])
  })

  it('leaves to the stream what the head could not know', () => {
    const early = head([], { upstream: undefined, attempts: undefined })
    expect(clientHeaders(early, ours(), {})).toEqual([])
  })
})
