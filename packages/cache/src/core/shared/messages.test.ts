import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Message, Messages } from './messages.ts'

const [one, other] = [new Messages('c', 'one'), new Messages('c', 'other')]

const all: Message[] = [
  {
    type: 'keys',
    keys: [
      ['k', 'stamp'],
      ['l', undefined],
    ],
  },
  { type: 'freed', key: 'k' },
  { type: 'tag', tag: 't', epoch: 5, match: undefined },
  { type: 'tag', tag: '\u0000', epoch: 5, match: { prefix: '' } },
  { type: 'match', record: { match: { pattern: 'a*' }, seq: 9, until: 10 } },
]

describe('Messages', () => {
  it.each(all)('are read by others as they were written: $type', (message) => {
    expect(other.decode(one.encode(message, 7))).toEqual({ message, latest: 7 })
  })

  it('are several where one would be too long to be read', () => {
    const keys = Array.from(
      { length: 500 },
      (_, at) => [`${'\u0000'.repeat(9_000)}${at}`, 's'] as const,
    )
    const texts = one.encodeAll({ type: 'keys', keys }, 7)
    const read = texts.map((text) => other.decode(text)?.message)
    expect(texts.length).toBeGreaterThan(1)
    expect(read.flatMap((message) => (message?.type === 'keys' ? message.keys : []))).toEqual(keys)
    expect(one.encodeAll({ type: 'freed', key: 'k' }, 7)).toHaveLength(1)
  })

  it('are ignored by who wrote them, and by other caches', () => {
    const text = one.encode({ type: 'freed', key: 'k' }, 7)
    expect(one.decode(text)).toBeUndefined()
    expect(new Messages('d', 'other').decode(text)).toBeUndefined()
  })

  it('are ignored whatever else they are', () => {
    const valid = all.map((message) => JSON.parse(one.encode(message, 7)))
    const noise = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(-1, 0.5, 2 ** 60, null, [], {}, '', [[]]),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.constantFrom('v', 'c', 'n', 'm', 'type', 'keys', 'key', 'tag', 'epoch', 'record'),
        noise,
        (message, name, value) => {
          const broken = structuredClone(message)
          if (name in broken) broken[name] = value
          else broken.m[name] = value
          const received = other.decode(JSON.stringify(broken))
          if (received !== undefined) expect(Number.isSafeInteger(received.latest)).toBe(true)
        },
      ),
    )
    fc.assert(fc.property(fc.string(), (text) => other.decode(text) === undefined))
    const many = { type: 'keys', keys: Array.from({ length: 2_000 }, () => ['k', 's']) } as const
    expect(other.decode(one.encode(many as unknown as Message, 7))).toBeUndefined()
  })
})
