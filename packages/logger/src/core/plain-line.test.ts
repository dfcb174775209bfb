import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withContext } from './context.ts'
import { createLogger, type LoggerOptions } from './logger.ts'

/** Writes the same call twice: as it comes, and in a context, where no line is a plain one. */
function bothWays(options: LoggerOptions = {}) {
  const texts: string[] = []
  const destination = { write: (line: string) => texts.push(line) }
  const logger = createLogger({ now: () => 0, destination, ...options })
  return (fields: unknown, message: string): readonly string[] => {
    texts.length = 0
    logger.info(fields as object, message)
    withContext({}, () => logger.info(fields as object, message))
    return [...texts]
  }
}

const name = fc.oneof(
  fc.constantFrom('a', 'path', 'api_key', 'token', 'message', 'level', 'pid', '_level', 'err'),
  fc.constantFrom('method', 'headers', 'socket', 'toString', 'constructor', '__proto__', 'value'),
  fc.constantFrom('sk-c4n4ryc4n4ry', 'service', '1', '', 'ü', 'a b', '"'),
  fc.string({ maxLength: 6 }),
)
const value = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', 'sk-c4n4ryc4n4ry', 'Bearer c4n4ryc4n4ry', 'a"b\\c\n', 'x'.repeat(2_000)),
  fc.constantFrom(undefined, null, true, -0, 0.1, 1e21, Number.NaN, Infinity, 10n),
  fc.constantFrom({ deep: 'sk-c4n4ryc4n4ry' }, ['token', 'c4n4ry'], new Error('no'), () => 1),
)
const record = fc.dictionary(name, value, { maxKeys: 5 })
const message = fc.oneof(fc.string(), fc.constantFrom('request', '%s 100%%', 'Bearer c4n4ryc4n4ry'))

describe('a plain line', () => {
  it.each<[string, LoggerOptions]>([
    ['without bindings', {}],
    ['with bindings', { name: 'app', base: { service: 's', api_key: 'c4n4ry', a: 1 } }],
    ['with bindings that are not plain', { base: { level: 1, deep: { token: 'c4n4ry' } } }],
    ['with patterns', { redact: { keys: ['a'], patterns: [/b/, /^$/] } }],
  ])('is the one that pino writes, %s', (_, options) => {
    const write = bothWays(options)
    fc.assert(
      fc.property(record, message, (fields, text) => {
        const [line, long] = write(fields, text)
        expect(line).toBe(long)
        expect(line).not.toContain('c4n4ry')
      }),
      { numRuns: 500 },
    )
  })

  it('says the same of a text that comes again, under whatever name', () => {
    const write = bothWays()
    const calls = ['plain', 'plain', 'sk-c4n4ryc4n4ry', 'sk-c4n4ryc4n4ry', '', 'plain'] as const
    for (const text of calls) {
      for (const field of ['note', 'password']) {
        const [line, long] = write({ [field]: text }, text)
        expect(line).toBe(long)
        expect(line).not.toContain('c4n4ry')
        if (field === 'password' && text !== '') expect(line).toContain('"password":"[redacted]"')
      }
    }
  })

  it('leaves to pino the names that mean something to it', () => {
    const write = bothWays()
    const meant: object[] = [
      { method: 'GET', headers: 'h', socket: 's' },
      { toString: 'x', valueOf: 'x' },
    ]
    for (const fields of [...meant, { message: 'x' }, { level: 'x', _level: 'y' }]) {
      const [line, long] = write(fields, 'x')
      expect(line).toBe(long)
    }
  })

  it('leaves fields that cannot be read, and records of another make, to the long way', () => {
    const write = bothWays()
    const unreadable = {
      get bad(): string {
        throw new Error('no')
      },
    }
    for (const fields of [unreadable, [1], new Map([['a', 1]]), { toJSON: () => 'x' }, null]) {
      const [line, long] = write(fields, 'x')
      expect(line).toBe(long)
    }
  })
})
