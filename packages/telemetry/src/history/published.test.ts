import { describe, expect, it } from 'vitest'
import { Clock, historyAt, START, values } from './clock.fixture.ts'
import type { PublishedMetric } from './published.ts'

const setUp = () => {
  const published: PublishedMetric[] = []
  const errors: unknown[] = []
  const clock = new Clock()
  const history = historyAt(clock, {
    onPublish: (each) => {
      published.push(each)
      if (each.name === 'throws') throw new Error('mine')
    },
    onError: (error) => errors.push(error),
  })
  history.declare('requests.rate', { kind: 'rate' })
  return { clock, history, published, errors }
}

describe('publish', () => {
  it('records a value, and tells of it with its tags', async () => {
    const { clock, history, published } = setUp()
    const told = { name: 'shop.carts', value: 3, tags: { region: 'eu' }, at: START }
    expect(history.publish('shop.carts', 3, { region: 'eu' })).toEqual(told)
    history.publish('shop.carts', 5, undefined, START)
    clock.advance(1)
    expect(values(await history.query({ metrics: ['shop.carts'], windowMs: 1_000 }))).toEqual([4])
    expect(published).toEqual([told, { ...told, value: 5, tags: {} }])
  })

  it('is checked beforehand without being recorded', async () => {
    const { clock, history, published } = setUp()
    expect(history.check('shop.carts', 3)).toEqual({
      ...{ name: 'shop.carts', value: 3, tags: {}, at: START },
    })
    expect(() => history.check('requests.rate', 3)).toThrow(/measured here already/)
    clock.advance(1)
    expect(await history.query({ metrics: ['shop.carts'], windowMs: 1_000 })).toEqual([])
    expect(published).toEqual([])
  })

  it('goes on when who is told throws', () => {
    const { history, errors } = setUp()
    expect(history.publish('throws', 1).value).toBe(1)
    expect(errors).toHaveLength(1)
  })

  it.each([
    ['', 1, {}],
    ['1st', 1, {}],
    ['a b', 1, {}],
    ['a\n', 1, {}],
    ['x'.repeat(129), 1, {}],
    [{}, 1, {}],
    [null, 1, {}],
    ['a', '1', {}],
    ['a', Number.POSITIVE_INFINITY, {}],
    ['a', undefined, {}],
    ['requests.rate', 1, {}],
  ])('refuses %j with the value %j', (name, value, tags) => {
    const { history, published } = setUp()
    const invalid = expect.objectContaining({ code: 'invalid_metric' })
    expect(() => history.publish(name, value, tags)).toThrow(invalid)
    expect(published).toEqual([])
  })

  it.each([
    [[]],
    ['text'],
    [null],
    [{ a: 1 }],
    [{ 'a b': 'x' }],
    [{ a: 'x'.repeat(129) }],
    [Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`t${at}`, 'x']))],
  ])('refuses the tags %j', (tags) => {
    const invalid = expect.objectContaining({ code: 'invalid_label' })
    expect(() => setUp().history.publish('a', 1, tags)).toThrow(invalid)
  })

  it('repeats no more than the beginning of what was given', () => {
    expect(() => setUp().history.publish('secret '.repeat(1_000), 1)).toThrow(/^.{0,200}$/)
  })

  it('keeps odd tags as they are', () => {
    const tags: unknown = JSON.parse('{"__proto__":"x","constructor":"y"}')
    expect(JSON.stringify(setUp().history.publish('a', 1, tags).tags)).toBe(JSON.stringify(tags))
  })
})
