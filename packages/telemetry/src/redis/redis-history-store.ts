import { checkWhole, invalidOption } from '../core/option-checks.ts'
import { HISTORY_KINDS } from '../history/kind.ts'
import type {
  HistoryBatch,
  HistoryMetric,
  HistoryRead,
  HistoryReading,
  HistoryRun,
  HistoryStore,
} from '../history/store.ts'
import { HistoryKeys, STEPS_PER_PART } from './history-keys.ts'
import { addScript, leaveScript } from './history-script.ts'
import { checkRedis, type TelemetryRedis } from './port.ts'

/** How {@link redisHistoryStore} is made. */
export interface RedisHistoryOptions {
  readonly redis: TelemetryRedis
  /** What all keys begin with, in braces; no braces itself. Default `tidegate:history:1`. */
  readonly prefix?: string | undefined
  /** For how long metrics are known by name after their last value. Default a day: as long as they are kept. */
  readonly keepMs?: number | undefined
}

/**
 * Puts the histories of all processes together in Redis: one script for a batch, one `MGET` for a window. A metric
 * takes 16 bytes for each step, in keys of 240 steps that expire by themselves, however many processes come and go.
 * All keys are in one slot.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function redisHistoryStore(options: RedisHistoryOptions): HistoryStore {
  return new RedisHistoryStore(options)
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** How long processes are known that tell nothing. */
const KNOWN_MS = 10 * 60_000
const CELL = 16

class RedisHistoryStore implements HistoryStore {
  readonly #redis: TelemetryRedis
  readonly #keys: HistoryKeys
  readonly #keepMs: number

  constructor({ redis, prefix = 'tidegate:history:1', keepMs = DAY_MS }: RedisHistoryOptions) {
    checkRedis('redisHistoryStore', redis)
    if (prefix === '' || /[{}]/.test(prefix)) {
      throw invalidOption('redisHistoryStore: its prefix must be a text without braces.')
    }
    this.#redis = redis
    this.#keys = new HistoryKeys(prefix)
    this.#keepMs = checkWhole('redisHistoryStore: keepMs', keepMs, 1)
  }

  async add({ instance, sequence, at, toldUntil, runs }: HistoryBatch): Promise<void> {
    const pieces = runs.flatMap(inParts)
    const names = new Set(
      pieces.map(({ metric, kind, unit }) => JSON.stringify([metric, kind, unit])),
    )
    const { instances } = this.#keys
    const keys = [this.#keys.sequence(instance), instances, this.#keys.names(at)]
    const head = [
      instance,
      sequence,
      this.#keepMs + 5 * HOUR_MS,
      Math.max(0, Math.floor(toldUntil)),
      at - KNOWN_MS,
    ]
    const args: (string | number | Uint8Array)[] = [...head, names.size, ...names]
    for (const piece of pieces) {
      const { kind, step, stepMs, keepMs, cells, part } = piece
      const end = (part + 1) * STEPS_PER_PART * stepMs
      keys.push(this.#keys.part(piece, piece, part))
      const ttl = Math.max(end + keepMs - at, stepMs)
      args.push(kind, (step - part * STEPS_PER_PART) * CELL, ttl, bytesOf(cells))
    }
    await this.#redis.evaluate(addScript, keys, args)
  }

  async read(request: HistoryRead): Promise<HistoryReading> {
    const { instance, metrics, resolution, from, to } = request
    const [first, last] = [from, to].map((step) => Math.floor(step / STEPS_PER_PART))
    const parts = range(first ?? 0, last ?? 0)
    const keys = metrics.flatMap((metric) =>
      parts.map((part) => this.#keys.part(metric, resolution, part)),
    )
    const [reply, told] = await Promise.all([
      this.#redis.callBuffer('MGET', this.#keys.sequence(instance), ...keys),
      this.#redis.callBuffer('HVALS', this.#keys.instances),
    ])
    const [sequence, ...kept] = listOf(reply)
    const cells = metrics.map((_, at) => {
      const flat = new Float64Array(2 * (to - from + 1))
      for (const [index, part] of parts.entries()) {
        readCells(kept[at * parts.length + index], flat, part * STEPS_PER_PART - from)
      }
      return flat
    })
    return { sequence: Number(textOf(sequence) || 0), told: toldOf(told), cells }
  }

  async metrics(at: number): Promise<readonly HistoryMetric[]> {
    const reply = await this.#redis.callBuffer('SUNION', ...this.#keys.namesUntil(at, this.#keepMs))
    return listOf(reply)
      .map((name) => metricOf(textOf(name)))
      .filter((metric) => metric !== undefined)
  }

  async leave(instance: string): Promise<void> {
    await this.#redis.evaluate(leaveScript, [this.#keys.instances], [instance])
  }
}

interface Piece extends HistoryRun {
  readonly part: number
}

/** Cuts a run where another key begins. */
function inParts(run: HistoryRun): readonly Piece[] {
  const last = run.step + run.cells.length / 2 - 1
  return range(Math.floor(run.step / STEPS_PER_PART), Math.floor(last / STEPS_PER_PART)).map(
    (part) => {
      const from = Math.max(run.step, part * STEPS_PER_PART)
      const to = Math.min(last, (part + 1) * STEPS_PER_PART - 1)
      const cells = run.cells.subarray(2 * (from - run.step), 2 * (to - run.step + 1))
      return { ...run, part, step: from, cells }
    },
  )
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

/** Little-endian whatever the machine is. */
function bytesOf(cells: Float64Array): Uint8Array {
  const bytes = Buffer.alloc(cells.byteLength)
  for (const [at, number] of cells.entries()) bytes.writeDoubleLE(number, at * 8)
  return bytes
}

/** Puts the cells of a part where they belong, as far as they are asked for. */
function readCells(part: unknown, into: Float64Array, step: number): void {
  if (!(part instanceof Uint8Array)) return
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength)
  for (let at = 0; at + CELL <= bytes.length; at += CELL) {
    const index = 2 * step + at / 8
    if (index < 0 || index >= into.length) continue
    into[index] = bytes.readDoubleLE(at)
    into[index + 1] = bytes.readDoubleLE(at + 8)
  }
}

function toldOf(reply: unknown): ReadonlyMap<string, number> {
  const pairs = listOf(reply).map((value): [string, number] => {
    const [until = '', ...instance] = textOf(value).split(' ')
    return [instance.join(' '), Number(until)]
  })
  return new Map(pairs)
}

/** What a name in Redis stands for; another version may have written what can't be read. */
function metricOf(name: string): HistoryMetric | undefined {
  const [metric, kind, unit] = JSON.parse(name) as readonly unknown[]
  const known = HISTORY_KINDS.find((each) => each === kind)
  if (typeof metric !== 'string' || typeof unit !== 'string' || known === undefined)
    return undefined
  return { metric, kind: known, unit }
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : ''
}

function listOf(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply
  throw new TypeError(
    'A reply of Redis has another form. `callBuffer` has to return it as it came, texts as bytes.',
  )
}
