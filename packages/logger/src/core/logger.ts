import { isatty } from 'node:tty'
import { threadId } from 'node:worker_threads'
import { pino } from 'pino'
import type { Fields } from './context.ts'
import { LoggerError } from './errors.ts'
import { addFields, type CleanFields, cleanCall } from './line.ts'
import { stdoutSink } from './output/descriptor.ts'
import { prettySink } from './output/pretty.ts'
import { type FileDestination, RollingFileSink } from './output/rolling-file.ts'
import type { Sink } from './output/sink.ts'
import { type LineWriter, writerSink } from './output/stream.ts'
import { type Bindings, createPlainLine, writeBindings } from './plain-line.ts'
import { createRedactor, type RedactOptions, type Redactor } from './redact/redactor.ts'
import { isoClock } from './timestamp.ts'

/** The levels, least severe first. `silent` turns everything off. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type Level = (typeof LEVELS)[number]

/** Logs a line: with fields, with a message, or both. `%s`, `%d`, `%j` and `%o` take further values. */
export interface LogMethod {
  (fields: object, message?: string, ...values: unknown[]): void
  (message: string, ...values: unknown[]): void
}

/** A structured logger with pino's methods. */
export interface Logger {
  /** The least severe level that is written; may be set at any time. */
  level: Level
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  /** Also writes out all lines held so far before it returns. */
  readonly fatal: LogMethod
  /** A logger whose lines carry `bindings` too; writes to the same destination. */
  child(bindings: Fields, options?: { readonly level?: Level }): Logger
  /** The fields that this logger adds to its lines, scrubbed. */
  bindings(): Fields
  isLevelEnabled(level: Level): boolean
  /**
   * Calls `work` a little later (at most 50 ms, and always before an exit), outside of every context:
   * for lines that nobody waits for, whose making would hold up what comes next. A destination that
   * is not written in batches gets them at once.
   */
  defer(work: () => void): void
  /** Resolves when all lines so far have left the process, or are counted as lost. Never rejects. */
  flush(): Promise<void>
  /** Flushes and closes the destination (stdout is only flushed), for this logger and its relatives. */
  close(): Promise<void>
}

/** Where lines go: stdout, anything with a `write` method, or a rotated file. */
export type Destination = 'stdout' | LineWriter | FileDestination

/** Options of `createLogger`; all may be left out. */
export interface LoggerOptions {
  /** The least severe level that is written. Default: `info`. */
  readonly level?: Level
  /**
   * `json`, `pretty` (for people), or `auto`: pretty on a terminal unless `profile` is `production`.
   * Default: `auto`.
   */
  readonly format?: 'json' | 'pretty' | 'auto'
  /** The deployment profile, for `format: 'auto'`. */
  readonly profile?: string
  /** Default: `stdout`. */
  readonly destination?: Destination
  /** Added to every line as `name`. */
  readonly name?: string
  /** Fields that every line carries: service, version, region. */
  readonly base?: Fields
  /** More names and formats that are secret. */
  readonly redact?: RedactOptions
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number
}

const BINDINGS = Symbol('bindings')

/** The pino instance behind a logger, or a child of one. */
type Instance = pino.Logger & { [BINDINGS]: Bindings }

function assertLevel(level: string): void {
  if ((LEVELS as readonly string[]).includes(level)) return
  const message = `Unknown log level ${JSON.stringify(level)}: use one of ${LEVELS.join(', ')}`
  throw new LoggerError('invalid_level', message)
}

function openDestination(destination: Destination, now: () => number): Sink {
  if (destination === 'stdout') return stdoutSink()
  if ('write' in destination) return writerSink(destination, now)
  if ('file' in destination) return new RollingFileSink(destination, now)
  throw new LoggerError(
    'invalid_option',
    "destination must be 'stdout', an object with a write method, or { file }",
  )
}

function isTerminal(destination: Destination): boolean {
  if (destination === 'stdout') return isatty(1)
  return 'isTTY' in destination && destination.isTTY === true
}

function openSink(options: LoggerOptions, now: () => number): Sink {
  const { destination = 'stdout', format = 'auto', profile } = options
  const sink = openDestination(destination, now)
  const terminal = isTerminal(destination)
  const pretty = format === 'auto' ? terminal && profile !== 'production' : format === 'pretty'
  return pretty ? prettySink(sink, terminal) : sink
}

function cleanBindings(bindings: Fields, redactor: Redactor): CleanFields {
  const out: CleanFields = {}
  addFields(out, bindings, redactor, true)
  return out
}

/**
 * pino writes the line unless it is a plain one; its arguments are cleaned before it sees them, its
 * message once formatted.
 */
function pinoOptions(options: LoggerOptions, redactor: Redactor, sink: Sink): pino.LoggerOptions {
  const time = isoClock(options.now ?? Date.now)
  const plainLine = createPlainLine(redactor, time)
  return {
    level: options.level ?? 'info',
    base: { pid: process.pid, thread_id: threadId },
    messageKey: 'message',
    errorKey: 'err',
    timestamp: () => `,"timestamp":"${time()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: {
      err: (value: unknown) => value,
      message: (value: unknown) => (typeof value === 'string' ? redactor.text(value) : value),
    },
    hooks: {
      logMethod(this: pino.Logger, args: unknown[], method: pino.LogFn, level: number) {
        const bindings = (this as unknown as Instance)[BINDINGS]
        const line = plainLine(level, args, bindings)
        if (line !== undefined) sink.write(line)
        else Reflect.apply(method, this, cleanCall(args, bindings.fields, redactor))
      },
    },
  }
}

/** Replaces those of pino's methods that would serialise bindings unseen, or answer by callback. */
function adapt(instance: pino.Logger, sink: Sink, redactor: Redactor): void {
  const makeChild = instance.child
  const add = (to: Instance, bindings: Fields): Bindings =>
    writeBindings({ ...to[BINDINGS].fields, ...cleanBindings(bindings, redactor) }, redactor)
  Object.assign(instance, {
    child(this: Instance, bindings: Fields, { level }: { readonly level?: Level } = {}) {
      if (level !== undefined) assertLevel(level)
      const options = level === undefined ? undefined : { level }
      const child = makeChild.call(this, {}, options) as unknown as Instance
      child[BINDINGS] = add(this, bindings)
      return child
    },
    bindings(this: Instance) {
      return { ...this[BINDINGS].fields }
    },
    setBindings(this: Instance, bindings: Fields) {
      this[BINDINGS] = add(this, bindings)
    },
    defer(work: () => void) {
      if (sink.defer === undefined) work()
      else sink.defer(work)
    },
    flush: () => sink.flush(),
    close: () => sink.close(),
  })
}

/**
 * Creates a logger on pino. Every line is one JSON object with `level`, `timestamp`, `pid`,
 * `thread_id`, the context's fields, the line's own and `message`, free of secrets at any depth. Lines
 * to stdout and files are written in batches, 50 ms after they were logged at the latest, and always
 * before the process exits.
 *
 * @throws LoggerError when an option is wrong or the log file's folder can't be written. A destination
 * that fails later never throws: it is told on stderr once, and lost lines are counted.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', name, base = {}, now = Date.now } = options
  assertLevel(level)
  const redactor = createRedactor(options.redact)
  const sink = openSink(options, now)
  const instance = pino(pinoOptions(options, redactor, sink), sink)
  const bindings = cleanBindings({ ...(name !== undefined && { name }), ...base }, redactor)
  Object.assign(instance, { [BINDINGS]: writeBindings(bindings, redactor) })
  adapt(instance, sink, redactor)
  return instance as unknown as Logger
}
