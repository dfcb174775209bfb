import { type Duration, parseDuration } from '../duration.ts'
import { callable, checkNames, ratio } from '../option-checks.ts'
import { quietly } from '../quietly.ts'
import { createLoadSource, type LoadSource } from './load-source.ts'
import { Pressure } from './pressure.ts'

/** Options of {@link createLoadShedder}. */
export interface LoadShedderOptions {
  /** The delay of the event loop, as requests meet it, from which on they are shed. Default `200ms`. */
  readonly maxDelay?: Duration | undefined
  /**
   * The share of its time that the event loop is busy, from which on requests are shed; near 1, as a loop
   * that is always busy may still answer in time. It sheds a fifth or so at most. Default: not looked at.
   */
  readonly maxUtilization?: number | undefined
  /** How often the loop is measured. Default `500ms`. */
  readonly sampleEvery?: Duration | undefined
  /** Called when shedding begins and when it has ended. What it throws is dropped. */
  readonly onChange?: ((state: LoadState) => void) | undefined
  /** A number from 0 up to 1, for the probability. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Where readings come from. Default: this process's event loop. */
  readonly source?: LoadSource | undefined
}

/** Why a request is shed. Status 503 and `Retry-After` are the HTTP of it. */
export interface Shed {
  readonly reason: 'event_loop_delay' | 'event_loop_utilization'
  /** When to come again: the longer, the higher the load. */
  readonly retryAfterMs: number
}

/** What was measured last. */
export interface LoadState {
  readonly shedding: boolean
  /** The probability with which a request is shed, from 0 to 0.95. */
  readonly probability: number
  /** The event loop's delay in the last sample, as requests met it, in milliseconds. */
  readonly delayMs: number
  /** The share of its time that it was busy in the last sample, from 0 to 1. */
  readonly utilization: number
  /** How many were shed so far. */
  readonly shed: number
}

/** Refuses some requests so that the others are answered. */
export interface LoadShedder {
  /**
   * Whether to shed this request, and why; `undefined`: let it in. Costs a comparison while there is no
   * overload. Don't ask for probes, metrics and what an operator needs to look at.
   */
  decide(): Shed | undefined
  readonly state: LoadState
  /** Ends the measuring; nothing is shed any more. */
  close(): void
  [Symbol.dispose](): void
}

const NAMES = ['maxDelay', 'maxUtilization', 'sampleEvery', 'onChange', 'random', 'source']

/** Of a client that is sent away. */
const RETRY_MS = { least: 1_000, most: 30_000 }

/**
 * Makes a shedder that measures the event loop with an unref'd timer. It sheds gradually, with a probability
 * that grows with the load, begins at a limit and ends below 0.8 of it.
 *
 * @throws HealthError `invalid_option`
 */
export function createLoadShedder(options: LoadShedderOptions = {}): LoadShedder {
  checkNames('createLoadShedder', options, NAMES)
  return new LoopLoadShedder(options)
}

class LoopLoadShedder implements LoadShedder {
  readonly #maxDelayMs: number
  readonly #maxUtilization: number
  readonly #random: () => number
  readonly #onChange: LoadShedderOptions['onChange']
  readonly #source: LoadSource
  readonly #timer: ReturnType<typeof setInterval>
  readonly #delayPressure = new Pressure()
  readonly #utilizationPressure = new Pressure()
  #probability = 0
  #refusal: Shed = { reason: 'event_loop_delay', retryAfterMs: RETRY_MS.least }
  #delayMs = 0
  #utilization = 0
  #shed = 0

  constructor(options: LoadShedderOptions) {
    const { maxDelay = 200, maxUtilization, sampleEvery = 500, random = Math.random } = options
    this.#maxDelayMs = parseDuration('maxDelay', maxDelay, 1)
    this.#maxUtilization =
      maxUtilization === undefined
        ? Number.POSITIVE_INFINITY
        : ratio('maxUtilization', maxUtilization)
    const everyMs = parseDuration('sampleEvery', sampleEvery, 10)
    this.#random = callable('random', random)
    this.#onChange = options.onChange && callable('onChange', options.onChange)
    this.#source = options.source ?? createLoadSource()
    this.#timer = setInterval(() => this.#sample(), everyMs)
    this.#timer.unref()
  }

  decide(): Shed | undefined {
    if (this.#probability === 0 || this.#random() >= this.#probability) return undefined
    this.#shed += 1
    return this.#refusal
  }

  get state(): LoadState {
    return {
      shedding: this.#probability > 0,
      probability: this.#probability,
      delayMs: this.#delayMs,
      utilization: this.#utilization,
      shed: this.#shed,
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#source.close()
    this.#probability = 0
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #sample(): void {
    const { delayMs, utilization } = this.#source.read()
    this.#delayMs = delayMs
    this.#utilization = utilization
    const wasShedding = this.#probability > 0
    const byDelay = this.#delayPressure.push(delayMs / this.#maxDelayMs)
    const byUtilization = this.#utilizationPressure.push(utilization / this.#maxUtilization)
    this.#probability = Math.max(byDelay, byUtilization)
    const level = Math.max(this.#delayPressure.level, this.#utilizationPressure.level)
    const retryAfterMs = Math.ceil(RETRY_MS.least * Math.max(1, level))
    this.#refusal = {
      reason: byDelay >= byUtilization ? 'event_loop_delay' : 'event_loop_utilization',
      retryAfterMs: Math.min(RETRY_MS.most, retryAfterMs),
    }
    if (wasShedding === this.#probability > 0) return
    quietly(() => this.#onChange?.(this.state))
  }
}
