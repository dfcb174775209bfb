import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../logger.ts'

const CANARY = 'c4n4ryc4n4ryc4n4ry'

const anyName = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('a', 'value', '__proto__', 'err'),
)
const secretName = fc
  .constantFrom(
    'authorization',
    'x-api-key',
    'api_key',
    'password',
    'client-secret',
    'access_token',
    'cookie',
  )
  .chain((name) =>
    fc.constantFrom(name, name.toUpperCase(), name.replace(/[-_]/g, ''), `x.${name}`),
  )

/** The canary, given away either by its form or by the name beside it. */
const leak = fc.oneof(
  fc.constantFrom(
    `sk-${CANARY}`,
    `see tg_live_${CANARY} here`,
    `Bearer ${CANARY}`,
    `redis://bob:${CANARY}@db`,
    `GET /x?access_token=${CANARY}&page=1`,
    `{"password":"${CANARY}"}`,
    `-----BEGIN PRIVATE KEY-----\n${CANARY}`,
    `eyJhbGciOiJ9.${CANARY}.x`,
  ),
  secretName.map((name) => ({ [name]: CANARY })),
  secretName.map((name) => ({ [name]: { nested: [CANARY] } })),
  secretName.map((name) => [name, CANARY]),
  secretName.map((name) => ['host', 'x', name, CANARY]),
  secretName.map((name) => new Map([[name, CANARY]])),
  secretName.map((name) => ({ name, value: CANARY })),
)

type Wrap = (inner: unknown) => unknown

const wrap: fc.Arbitrary<Wrap> = fc.oneof(
  fc.tuple(anyName, fc.jsonValue()).map(
    ([name, other]): Wrap =>
      (inner) => ({ other, [name]: inner }),
  ),
  fc.jsonValue().map(
    (other): Wrap =>
      (inner) => [other, inner],
  ),
  anyName.map(
    (name): Wrap =>
      (inner) =>
        new Map([[name, inner]]),
  ),
  fc.constant<Wrap>((inner) => new Set([inner])),
  fc.constant<Wrap>((inner) => Object.assign(new Error('outer'), { details: inner })),
  fc.constant<Wrap>((inner) => new Error('outer', { cause: inner })),
  fc.constant<Wrap>((inner) => new AggregateError([inner], 'all')),
  fc.constant<Wrap>((inner) => ({ toJSON: () => inner })),
  fc.constant<Wrap>((inner) => (typeof inner === 'string' ? new Error(inner) : [inner])),
)

const buried = fc
  .tuple(leak, fc.array(wrap, { maxLength: 14 }))
  .map(([inner, wraps]) => wraps.reduce<unknown>((value, around) => around(value), inner))

describe('a logger', () => {
  const lines: string[] = []
  const logger = createLogger({ destination: { write: (line: string) => lines.push(line) } })

  it('never prints a secret, wherever it is, and always writes one line of JSON', () => {
    fc.assert(
      fc.property(buried, anyName, fc.string({ maxLength: 20 }), (value, name, message) => {
        lines.length = 0
        logger.info({ [name]: value }, message)
        logger.child({ [name]: value }).info(message)
        logger.info(value as object, '%j', value)
        logger.error({ err: value }, `${message} Bearer ${CANARY}`)
        expect(lines).toHaveLength(4)
        for (const line of lines) {
          expect(line).not.toContain(CANARY)
          expect(line.indexOf('\n')).toBe(line.length - 1)
          expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) })
        }
      }),
      { numRuns: 300 },
    )
  })

  it('never throws and never writes broken JSON for any value', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withMap: true,
          withSet: true,
          withDate: true,
          withBigInt: true,
          withNullPrototype: true,
          withBoxedValues: true,
          withTypedArray: true,
        }),
        fc.string(),
        (value, message) => {
          lines.length = 0
          logger.info({ value }, message)
          logger.info(value as object, message)
          expect(lines).toHaveLength(2)
          for (const line of lines) JSON.parse(line)
        },
      ),
      { numRuns: 300 },
    )
  })
})
