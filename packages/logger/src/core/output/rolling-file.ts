/// <reference path="./pino-roll.d.ts" />
import { accessSync, constants, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { RollingStream } from 'pino-roll'
import { LoggerError } from '../errors.ts'
import { Batch } from './batch.ts'
import { countLines, LossAccount, tellOperator } from './loss.ts'
import { endAtExit, forgetAtExit, type HoldingSink } from './sink.ts'

/** Lines go to a file that is rotated by size, by time, or by whichever comes first. */
export interface FileDestination {
  /**
   * Path of the log; its folder is made when missing. Files are numbered before the extension, and
   * dated when rotated by time: `logs/app.log` becomes `logs/app.1.log`, `logs/app.2026-11-21.1.log`.
   * One process writes one log: give workers names of their own.
   */
  readonly file: string
  /** Bytes after which the next file is begun; a file ends up larger by one batch (16 KiB) at most. */
  readonly maxSize?: number
  /** A new file every day or hour (local time), or every so many milliseconds (at most 24 days). */
  readonly frequency?: 'daily' | 'hourly' | number
  /** How many files are kept, the current one among them. Default: all. Enforced when a file is begun. */
  readonly keep?: number
}

const MAX_HELD_BYTES = 16 * 1024 * 1024
/** setTimeout, by which the rotation runs, knows no longer time. */
const MAX_FREQUENCY_MS = 24 * 24 * 60 * 60 * 1_000

/** Only dated names sort right over a restart: numbers begin anew with each period. */
const DATE_FORMATS = { daily: 'yyyy-MM-dd', hourly: 'yyyy-MM-dd-HH', custom: 'yyyy-MM-dd-HHmmss' }

function assertOptions({ file, maxSize, frequency, keep }: FileDestination): void {
  const wrong = (option: string, need: string): never => {
    throw new LoggerError('invalid_option', `destination.${option} must be ${need}`)
  }
  if (typeof file !== 'string' || file === '') wrong('file', 'a path')
  if (/[<>"|?*:\0]/.test(file)) wrong('file', 'a path without any of < > " | ? * :')
  if (maxSize !== undefined && !(Number.isSafeInteger(maxSize) && maxSize > 0)) {
    wrong('maxSize', 'a whole number of bytes above 0')
  }
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep > 0)) {
    wrong('keep', 'a whole number of files above 0')
  }
  const known = frequency === undefined || frequency === 'daily' || frequency === 'hourly'
  if (known) return
  if (!(Number.isSafeInteger(frequency) && frequency > 0 && frequency <= MAX_FREQUENCY_MS)) {
    wrong('frequency', `'daily', 'hourly' or milliseconds up to ${MAX_FREQUENCY_MS}`)
  }
}

function assertWritable(file: string): void {
  const folder = dirname(resolve(file))
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch (cause) {
    const message = `The log file ${file} can't be written: check that ${folder} is a folder this process may write to`
    throw new LoggerError('log_file_unwritable', message, { cause })
  }
}

async function openRolling(destination: FileDestination): Promise<RollingStream> {
  const { file, maxSize, frequency, keep } = destination
  const { default: build } = await import('pino-roll')
  return build({
    file: resolve(file),
    // Written on this thread, a batch at a time: sizes are exact and no write is in flight at exit.
    sync: true,
    maxLength: MAX_HELD_BYTES,
    ...(maxSize !== undefined && { size: `${maxSize}b` }),
    ...(frequency !== undefined && {
      frequency,
      dateFormat: DATE_FORMATS[typeof frequency === 'number' ? 'custom' : frequency],
    }),
    // Without removeOtherLogFiles, files of earlier runs would never be removed.
    ...(keep !== undefined && { limit: { count: keep, removeOtherLogFiles: true } }),
  })
}

/** Writes lines to a rotated file by pino-roll, in this thread. */
export class RollingFileSink implements HoldingSink {
  readonly #file: string
  readonly #loss: LossAccount
  readonly #batch = new Batch((lines) => this.#take(lines))
  readonly #ready: Promise<void>
  #stream: RollingStream | undefined
  #early = ''
  #failed = false

  constructor(destination: FileDestination, now: () => number) {
    assertOptions(destination)
    assertWritable(destination.file)
    this.#file = destination.file
    this.#loss = new LossAccount(destination.file, now)
    this.#ready = openRolling(destination).then(
      (stream) => this.#opened(stream),
      (error: unknown) => this.#broken(error),
    )
    endAtExit(this)
  }

  write(line: string): void {
    this.#batch.add(line)
  }

  defer(work: () => void): void {
    this.#batch.defer(work)
  }

  flushSync(): void {
    this.#batch.release()
  }

  endSync(): void {
    this.#batch.release()
    if (this.#early !== '') {
      tellOperator(
        `log: the process ended before ${this.#file} was open; its lines:\n${this.#early}`,
      )
      this.#early = ''
    }
    this.#loss.close()
  }

  async flush(): Promise<void> {
    await this.#ready
    this.#batch.release()
  }

  async close(): Promise<void> {
    await this.flush()
    const stream = this.#stream
    this.#stream = undefined
    this.#failed = true
    forgetAtExit(this)
    this.#loss.close()
    if (stream === undefined || stream.destroyed) return
    await new Promise<void>((resolve) => {
      stream.once('close', resolve).once('error', () => resolve())
      stream.end()
    })
  }

  #take(lines: string): void {
    if (this.#failed) this.#loss.failed('it is closed', countLines(lines))
    else if (this.#stream === undefined) this.#early += lines
    else this.#stream.write(lines)
  }

  #opened(stream: RollingStream): void {
    // What a full disk refuses is kept by the stream and tried again with the next batch; what
    // exceeds its limit meanwhile is dropped.
    stream.on('error', (error: unknown) => this.#loss.failed(describe(error), 0))
    stream.on('drop', (lines: string) => this.#loss.failed('too much to hold', countLines(lines)))
    stream.on('write', () => {
      const notice = this.#loss.recovered()
      if (notice !== undefined) this.#batch.add(notice)
    })
    this.#stream = stream
    const early = this.#early
    this.#early = ''
    if (early !== '') stream.write(early)
  }

  #broken(error: unknown): void {
    this.#failed = true
    this.#loss.failed(describe(error), countLines(this.#early))
    this.#early = ''
  }
}

function describe(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
