import { monotonicNow } from '../clock.ts'
import { type Duration, parseDuration } from '../duration.ts'
import { HealthError } from '../errors.ts'
import { callable, checkName, checkNames, wrong } from '../option-checks.ts'
import { quietly } from '../quietly.ts'
import { type Ordered, partsOf, refuseCycle } from './order.ts'

/** Where a program stands: at work; not ready, but at work; closing; closed. */
export type ShutdownPhase = 'serving' | 'unready' | 'closing' | 'closed'

/** Options of {@link createShutdown}. */
export interface ShutdownOptions {
  /**
   * Time between not being ready and closing anything: as long as it takes until nobody sends requests here
   * any more, such as a probe's period. Default 0.
   */
  readonly delay?: Duration | undefined
  /** Time for all steps together, after the delay. Default `30s`. */
  readonly timeout?: Duration | undefined
  /** Called as each phase begins. What it throws is dropped. */
  readonly onPhase?: ((phase: ShutdownPhase) => void) | undefined
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined
}

/** What a step gets. */
export interface StepContext {
  /** Aborts when the step's time is over, or at a second signal: let go at once. */
  readonly signal: AbortSignal
  /** How long this step may take. */
  readonly remainingMs: number
}

/** When a step runs. */
export interface StepOptions {
  /**
   * Steps that have to have ended before. One that nobody has registered when the shutdown starts is as if
   * it had ended: parts may be switched off. Default: none, at once.
   */
  readonly after?: readonly string[] | undefined
  /** Its weight when the time is divided among it and those after it. Default 1. */
  readonly share?: number | undefined
}

/** Something that went wrong while closing. */
export interface ShutdownFault {
  readonly step: string
  /** `failed`: it threw `error`; `timeout`: it took too long; `aborted`: it was not waited for, or not begun. */
  readonly reason: 'failed' | 'timeout' | 'aborted'
  readonly error?: unknown
}

/** How a shutdown ended. */
export interface ShutdownResult {
  readonly faults: readonly ShutdownFault[]
  readonly aborted: boolean
  readonly tookMs: number
}

/** The way a program is taken out of service. */
export interface Shutdown {
  readonly phase: ShutdownPhase
  /** For readiness: false from the start of the shutdown on. */
  readonly ready: boolean
  /**
   * Adds what is to be closed. Steps of which none waits for the other are closed at the same time.
   *
   * @throws HealthError `cycle`, `duplicate`, `invalid_option`; `closed` once the shutdown has begun
   */
  onClose(name: string, close: (context: StepContext) => unknown, options?: StepOptions): void
  /** Not ready → delay → steps. Never rejects; later calls join the first. */
  start(): Promise<ShutdownResult>
  /** Waits for nothing more: aborts the steps that run, and begins no other. Starts it as well. */
  abort(): Promise<ShutdownResult>
}

/**
 * Makes a shutdown: first not ready, then closed step by step, in an order and within a time, whatever the
 * steps do. It ends the program's work, not its process.
 *
 * @throws HealthError `invalid_option`
 */
export function createShutdown(options: ShutdownOptions = {}): Shutdown {
  checkNames('createShutdown', options, ['delay', 'timeout', 'onPhase', 'now'])
  return new OrderedShutdown(options)
}

interface Step extends Ordered {
  readonly close: (context: StepContext) => unknown
}

class OrderedShutdown implements Shutdown {
  phase: ShutdownPhase = 'serving'
  readonly #delayMs: number
  readonly #timeoutMs: number
  readonly #onPhase: ((phase: ShutdownPhase) => void) | undefined
  readonly #now: () => number
  readonly #steps = new Map<string, Step>()
  readonly #faults: ShutdownFault[] = []
  readonly #cut = new AbortController()
  #result: Promise<ShutdownResult> | undefined

  constructor({ delay = 0, timeout = 30_000, onPhase, now = monotonicNow }: ShutdownOptions) {
    this.#delayMs = parseDuration('delay', delay)
    this.#timeoutMs = parseDuration('timeout', timeout, 1)
    this.#onPhase = onPhase === undefined ? undefined : callable('onPhase', onPhase)
    this.#now = callable('now', now)
  }

  get ready(): boolean {
    return this.phase === 'serving'
  }

  onClose(name: string, close: (context: StepContext) => unknown, options: StepOptions = {}): void {
    if (this.#result !== undefined) {
      throw new HealthError('closed', `The shutdown has begun: "${name}" can't be added to it.`)
    }
    checkName('The name of a step', name)
    callable(`The step "${name}"`, close)
    checkNames(`The step "${name}"`, options, ['after', 'share'])
    const { after = [], share = 1 } = options
    if (!Array.isArray(after)) throw wrong(`The step "${name}": after`, after, 'a list of names')
    if (!(share > 0 && share < 1e6)) throw wrong(`The step "${name}": share`, share, 'above 0')
    if (this.#steps.has(name)) {
      throw new HealthError('duplicate', `There is a step "${name}" already: name this one apart.`)
    }
    const step: Step = { name, close, after: [...after], share }
    refuseCycle(this.#steps, step)
    this.#steps.set(name, step)
  }

  start(): Promise<ShutdownResult> {
    this.#result ??= this.#run()
    return this.#result
  }

  abort(): Promise<ShutdownResult> {
    const result = this.start()
    this.#cut.abort()
    return result
  }

  async #run(): Promise<ShutdownResult> {
    const began = this.#now()
    this.#enter('unready')
    await this.#within(this.#delayMs, undefined)
    this.#enter('closing')
    await this.#closeAll(this.#now() + this.#timeoutMs)
    this.#enter('closed')
    const { aborted } = this.#cut.signal
    return { faults: this.#faults, aborted, tookMs: this.#now() - began }
  }

  async #closeAll(deadline: number): Promise<void> {
    const parts = partsOf(this.#steps)
    const ends = new Map<string, Promise<void>>()
    const endOf = (name: string): Promise<void> => {
      const step = this.#steps.get(name)
      if (step === undefined) return Promise.resolve()
      const known = ends.get(name)
      if (known !== undefined) return known
      const end = Promise.all(step.after.map(endOf)).then(() =>
        this.#close(step, (deadline - this.#now()) * (parts.get(name) ?? 1)),
      )
      ends.set(name, end)
      return end
    }
    await Promise.all([...this.#steps.keys()].map(endOf))
  }

  async #close({ name, close }: Step, remainingMs: number): Promise<void> {
    if (this.#cut.signal.aborted) {
      this.#faults.push({ step: name, reason: 'aborted' })
      return
    }
    const over = new AbortController()
    const ended = attempt(() => close({ signal: over.signal, remainingMs }))
    const settled = await this.#within(Math.max(0, remainingMs), ended)
    if (settled === undefined) {
      const reason = this.#cut.signal.aborted ? 'aborted' : 'timeout'
      this.#faults.push({ step: name, reason })
      over.abort(
        new HealthError('closed', `The step "${name}" of the shutdown is over: ${reason}.`),
      )
    } else if ('error' in settled) {
      this.#faults.push({ step: name, reason: 'failed', error: settled.error })
    }
  }

  /** Waits for something, so long at most, and not once it is cut; `undefined` when it hasn't come. */
  async #within<T>(ms: number, wanted: Promise<T> | undefined): Promise<T | undefined> {
    const { signal } = this.#cut
    const over = Promise.withResolvers<undefined>()
    const end = (): void => over.resolve(undefined)
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    try {
      return await Promise.race(wanted === undefined ? [over.promise] : [wanted, over.promise])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }

  #enter(phase: ShutdownPhase): void {
    this.phase = phase
    quietly(() => this.#onPhase?.(phase))
  }
}

async function attempt(close: () => unknown): Promise<{ readonly error?: unknown }> {
  try {
    await close()
    return {}
  } catch (error) {
    return { error }
  }
}
