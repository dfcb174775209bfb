import { describe, expect, it } from 'vitest'
import { askedDuration, askedMetrics } from './asked.ts'

const of = (query: string) => new URLSearchParams(query)

describe('askedMetrics', () => {
  it.each<[string, readonly string[] | undefined]>([
    ['', undefined],
    ['metric=', undefined],
    ['metric=,%20,', undefined],
    ['metric=a', ['a']],
    ['metric=a,b,a&metric=%20c', ['a', 'b', 'c']],
  ])('reads %j', (query, names) => {
    expect(askedMetrics(of(query))).toEqual(names)
  })

  it('refuses too many, and what can name none', () => {
    const refused = expect.objectContaining({ code: 'invalid_metrics_query' })
    const many = Array.from({ length: 201 }, (_, at) => `m${at}`).join(',')
    expect(() => askedMetrics(of(`metric=${many}`))).toThrow(refused)
    expect(() => askedMetrics(of(`metric=${'x'.repeat(129)}`))).toThrow(refused)
  })
})

describe('askedDuration', () => {
  it.each<[string, number | undefined]>([
    ['', undefined],
    ['window=', undefined],
    ['window=300s', 300_000],
    ['window=300', 300_000],
    ['window=1h30m', 5_400_000],
  ])('reads %j', (query, ms) => {
    expect(askedDuration(of(query), 'window')).toBe(ms)
  })

  it.each(['window=x', 'window=0s', 'window=-1s', 'window=8d', 'window=1e99'])(
    'refuses %j',
    (query) => {
      expect(() => askedDuration(of(query), 'window')).toThrow(/"window" is not as expected/)
    },
  )
})
