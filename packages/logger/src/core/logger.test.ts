import { threadId } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { withContext } from './context.ts'
import { createLogger, type LoggerOptions } from './logger.ts'

const NOW = Date.parse('2026-11-21T10:20:30.456Z')

function capture(options: LoggerOptions = {}) {
  const texts: string[] = []
  const destination = { write: (line: string) => texts.push(line) }
  const logger = createLogger({ now: () => NOW, destination, ...options })
  const last = (): Record<string, unknown> => JSON.parse(texts.at(-1) ?? '{}')
  return { logger, texts, last }
}

describe('createLogger', () => {
  it('writes level, timestamp, pid, thread, context, fields and message in that order', () => {
    const { logger, texts } = capture()
    withContext({ request_id: 'r1' }, () => logger.info({ n: 1 }, 'done'))
    expect(texts).toEqual([
      `{"level":"info","timestamp":"2026-11-21T10:20:30.456Z","pid":${process.pid},"thread_id":${threadId},"request_id":"r1","n":1,"message":"done"}\n`,
    ])
  })

  it('has the six levels as words and a threshold that can be moved', () => {
    const { logger, texts } = capture({ level: 'trace' })
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)
      logger[level]('x')
    expect(texts.map((text) => JSON.parse(text).level)).toEqual([
      ...['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    ])
    logger.level = 'error'
    logger.warn('no')
    expect(texts).toHaveLength(6)
    expect([logger.isLevelEnabled('warn'), logger.isLevelEnabled('error')]).toEqual([false, true])
    expect(capture({ level: 'silent' }).logger.isLevelEnabled('fatal')).toBe(false)
  })

  it('formats messages as pino does, and scrubs what it puts in', () => {
    const { logger, last } = capture()
    logger.info('user %s has %d items', 'bob', 3)
    expect(last()).toMatchObject({ message: 'user bob has 3 items' })
    logger.info('sent %j', { password: 'hunter2' })
    expect(last()).toMatchObject({ message: 'sent {"password":"[redacted]"}' })
    logger.info('auth %s', 'Bearer abcdefgh')
    expect(last()).toMatchObject({ message: 'auth Bearer [redacted]' })
    logger.info({ a: 1 }, 'split Bearer %s', 'abcdefgh')
    expect(last()).toMatchObject({ a: 1, message: 'split Bearer [redacted]' })
  })

  it('takes the message from an error, or from the fields when there is no other', () => {
    const { logger, last } = capture()
    logger.error(new RangeError('too far'))
    expect(last()).toMatchObject({
      message: 'too far',
      err: { type: 'RangeError', message: 'too far' },
    })
    logger.error({ err: new RangeError('too far') }, 'failed')
    expect(last()).toMatchObject({ message: 'failed', err: { type: 'RangeError' } })
    logger.info({ message: 'from the fields' })
    expect(last()).toMatchObject({ message: 'from the fields' })
  })

  it("keeps its own fields when a caller's have their names", () => {
    const { logger, texts, last } = capture()
    logger.info({ level: 'x', timestamp: 'y', pid: 'z', thread_id: 'w', message: 'm' }, 'real')
    expect(last()).toMatchObject({
      level: 'info',
      pid: process.pid,
      _level: 'x',
      _message: 'm',
      message: 'real',
    })
    expect(texts.at(-1)?.match(/"(?:level|timestamp|pid|thread_id|message)":/g)).toHaveLength(5)
  })

  it('writes no name twice: line over context over bindings', () => {
    const { logger, texts, last } = capture({ base: { a: 'base', service: 's' }, name: 'app' })
    const child = logger.child({ a: 'child', b: 'child' })
    withContext({ a: 'context', b: 'context', c: 'context' }, () => child.info({ a: 'line' }, 'x'))
    expect(last()).toMatchObject({
      name: 'app',
      service: 's',
      a: 'line',
      b: 'context',
      c: 'context',
    })
    expect(texts.at(-1)?.match(/"a":/g)).toHaveLength(1)
  })

  it('scrubs names, values, bindings, base and context', () => {
    const { logger, texts } = capture({ base: { token: 'x1' } })
    const child = logger.child({ api_key: 'x2' })
    withContext({ cookie: 'x3' }, () =>
      child.info({ a: { secret: 'x4' }, url: 'redis://u:x5@h' }, 'x'),
    )
    expect(texts.at(-1)).not.toMatch(/x[1-5]/)
    expect(child.bindings()).toEqual({ token: '[redacted]', api_key: '[redacted]' })
  })

  it('takes more names and patterns that are secret', () => {
    const { logger, last } = capture({ redact: { keys: ['iban'], patterns: [/emp-\d+/] } })
    logger.info({ IBAN: 'DE1', note: 'emp-42' }, 'by emp-42')
    expect(last()).toMatchObject({
      IBAN: '[redacted]',
      note: '[redacted]',
      message: 'by [redacted]',
    })
  })

  it('gives children a level of their own', () => {
    const { logger, texts } = capture()
    logger.child({}, { level: 'debug' }).debug('yes')
    logger.debug('no')
    expect(texts).toHaveLength(1)
  })

  it('survives whatever it is given', () => {
    const { logger, texts, last } = capture()
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no')
        },
        get: () => {
          throw new Error('no')
        },
      },
    )
    for (const value of [
      null,
      undefined,
      5,
      true,
      Symbol('x'),
      10n,
      proxy,
      Object.create(null),
      [],
    ]) {
      logger.info(value as unknown as object, 'still here')
    }
    expect(texts.map((text) => typeof JSON.parse(text))).toHaveLength(9)
    logger.info(
      {
        get bad() {
          throw new Error('no')
        },
      },
      'x',
    )
    expect(last()).toMatchObject({ bad: '[unreadable]' })
  })

  it('survives a destination that throws', () => {
    const { logger } = capture({
      destination: {
        write: () => {
          throw new Error('closed')
        },
      },
    })
    expect(() => logger.info('x')).not.toThrow()
  })

  it('is pretty on request, and by itself only on a terminal outside of production', () => {
    const written: string[] = []
    const terminal = { isTTY: true, write: (line: string) => written.push(line) }
    createLogger({ destination: terminal }).info({ a: 1, token: 'x' }, 'hello')
    createLogger({ destination: terminal, profile: 'production' }).info('hello')
    createLogger({ destination: terminal, format: 'json' }).info('hello')
    expect(written[0]).toMatch(/INFO.*hello.*"a":1/s)
    expect(written[0]).toContain('[redacted]')
    expect(written.slice(1).map((line) => JSON.parse(line).message)).toEqual(['hello', 'hello'])
  })

  it('says what is wrong with its options', () => {
    expect(() => createLogger({ level: 'loud' as 'info' })).toThrow(
      expect.objectContaining({
        code: 'invalid_level',
        message: expect.stringContaining('use one of trace'),
      }),
    )
    const bad = [{ file: '' }, { file: 'a:b' }, { file: 'x', keep: 0 }, { file: 'x', maxSize: 1.5 }]
    for (const destination of [...bad, { file: 'x', frequency: 9e12 }, {} as { file: string }]) {
      expect(() => createLogger({ destination })).toThrow(
        expect.objectContaining({ code: 'invalid_option' }),
      )
    }
    expect(() => createLogger({ destination: { file: '/dev/null/x.log' } })).toThrow(
      expect.objectContaining({ code: 'log_file_unwritable' }),
    )
  })

  it('flushes and closes without a destination that needs it', async () => {
    const { logger } = capture()
    await expect(logger.flush()).resolves.toBeUndefined()
    await expect(logger.child({}).close()).resolves.toBeUndefined()
  })
})
