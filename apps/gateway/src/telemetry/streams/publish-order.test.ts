import { createHistory } from '@tidegate/telemetry/history'
import { describe, expect, it } from 'vitest'
import { publishOrder } from './publish-order.ts'

const NOW = Date.parse('2030-01-01T12:00:00Z')
const history = createHistory({ now: () => NOW })
history.declare('requests.rate', { kind: 'rate' })

const read = (body: unknown) =>
  publishOrder(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), history, NOW)

describe('what is to be published', () => {
  it('is one metric, or several', () => {
    const carts = { name: 'shop.carts', value: 3 }
    expect(read(carts)).toEqual([{ ...carts, tags: {}, at: NOW }])
    const more = [carts, { name: 'b', value: -1.5, tags: { region: 'eu' }, at: NOW - 1_000 }]
    expect(read(more)).toEqual([{ ...carts, tags: {}, at: NOW }, more[1]])
    expect(read(Array.from({ length: 1_000 }, () => carts))).toHaveLength(1_000)
  })

  it.each<[unknown, RegExp]>([
    ['', /empty/],
    ['{"name":', /no JSON/],
    ['null', /The metric is no object/],
    ['[[]]', /Metric \[0\] is no object/],
    [[], /array is empty/],
    [Array.from({ length: 1_001 }, () => ({})), /has 1001 metrics; 1000 is the most/],
    [{ value: 1 }, /The metric: undefined can't name a metric/],
    [{ name: 'a b', value: 1 }, /"a b" can't name a metric/],
    [{ name: 'a', value: '1' }, /The value of a is "1"; it has to be a finite number/],
    [[{ name: 'a', value: 1 }, { name: 'b' }], /^Metric \[1\]: The value of b is undefined/],
    [{ name: 'a', value: 1, tags: { region: 1 } }, /tags of a must have texts.*see region/],
    [{ name: 'a', value: 1, unit: 's' }, /has a field "unit"; known are name, value, tags, at/],
    ['{"name":"a","value":1,"__proto__":{}}', /has a field "__proto__"/],
    [{ name: 'requests.rate', value: 1 }, /measured here already/],
    [{ name: 'a', value: 1, at: '2030' }, /time of a is "2030"/],
    [{ name: 'a', value: 1, at: NOW / 1_000 }, /milliseconds since 1970/],
    [{ name: 'a', value: 1, at: NOW + 61_000 }, /milliseconds since 1970/],
    [{ name: 'a', value: 1, at: NOW - 86_400_001 }, /of the last day/],
  ])('is refused when it is %j', (body, message) => {
    const refused = expect.objectContaining({
      code: 'invalid_metric',
      message: expect.stringMatching(message),
    })
    expect(() => read(body)).toThrow(refused)
  })
})
