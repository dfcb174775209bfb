import { type CallExecution, CancellableExecution } from './execution.ts'
import { createPolicy, monotonic, start } from './guard.ts'
import { createHedgeBudget, type HedgeBudget, type HedgeBudgetOptions } from './hedge-budget.ts'
import { checkCount, checkNumber, MAX_TIMER_MS } from './options.ts'
import type { Execution, Policy, Work } from './policy.ts'
import { createQuantile, type Quantile } from './quantile.ts'
import { reasonOf } from './timeline.ts'

/** A further attempt that is about to be made beside one that is slow. */
export interface HedgeEvent {
  /** Its number, counted from 1 with the first attempt. */
  readonly attempt: number
  /** For how long the attempt before it has not ended, in milliseconds. */
  readonly delayMs: number
}

/** When {@link createHedge} sends a further attempt, and what becomes of the others. */
export interface HedgeOptions {
  /**
   * After how many milliseconds an attempt is slow; or by measure: the time within which the share
   * `quantile` of the last 512 first attempts was done, `initialMs` until 20 are known.
   */
  readonly after: number | { readonly quantile: number; readonly initialMs: number }
  /** Further attempts per call. Default: 1. */
  readonly max?: number | undefined
  /** Default: for every 100 calls 5 hedges. */
  readonly budget?: HedgeBudget | HedgeBudgetOptions | undefined
  /** Asked before each hedge, such as whether there is room for it. Default: always. */
  readonly when?: ((execution: Execution) => boolean) | undefined
  /** Told before each hedge. What it throws ends the call. */
  readonly onHedge?: ((event: HedgeEvent) => void) | undefined
  /**
   * Given each result that came after the call had ended, so that what it holds, such as a connection,
   * can be given back. What it throws goes nowhere.
   */
  readonly onDiscarded?: ((result: unknown) => void) | undefined
  /** A clock in milliseconds that never goes back. Default: `performance.now`. */
  readonly now?: (() => number) | undefined
}

/**
 * Calls the work once more beside an attempt that is slow; the first that does well wins, and the
 * signals of the others abort. For work that may be done twice only. An attempt that fails brings no
 * hedge forward: when none is left under way, the error of the one that failed first is thrown. (Dean
 * and Barroso, "The Tail at Scale".)
 *
 * @throws RangeError when an option is out of range.
 */
export function createHedge(options: HedgeOptions): Policy {
  const plan = planOf(options)
  return createPolicy(<T>(work: Work<T>, outer: CallExecution): Promise<T> => {
    return new Promise((resolve, reject) => new Race(plan, work, outer, resolve, reject).begin())
  }, options.now)
}

/** The options, checked and filled in. */
interface Plan {
  readonly max: number
  readonly budget: HedgeBudget
  readonly durations: Quantile | undefined
  readonly options: HedgeOptions
  readonly now: () => number
  delayMs(): number
}

function planOf(options: HedgeOptions): Plan {
  const { after, max = 1, budget = {}, now = monotonic } = options
  const plan = {
    max: checkCount('max', max, 1),
    budget: 'tryHedge' in budget ? budget : createHedgeBudget(budget),
    options,
    now,
  }
  if (typeof after === 'number') {
    checkNumber('after', after, 0, MAX_TIMER_MS)
    return { ...plan, durations: undefined, delayMs: () => after }
  }
  const { quantile, initialMs } = after
  checkNumber('after.quantile', quantile, 0.01, 1)
  checkNumber('after.initialMs', initialMs, 0, MAX_TIMER_MS)
  const durations = createQuantile()
  const delayMs = () => Math.min(durations.value(quantile) ?? initialMs, MAX_TIMER_MS)
  return { ...plan, durations, delayMs }
}

/** The attempts of one call. */
class Race<T> {
  readonly #plan: Plan
  readonly #work: Work<T>
  readonly #outer: CallExecution
  readonly #resolve: (value: T) => void
  readonly #reject: (error: unknown) => void
  readonly #startedAt: number
  readonly #attempts: CancellableExecution[] = []
  #failures = 0
  #firstError: unknown
  #firstFailed = false
  #ended = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    plan: Plan,
    work: Work<T>,
    outer: CallExecution,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#plan = plan
    this.#work = work
    this.#outer = outer
    this.#resolve = resolve
    this.#reject = reject
    this.#startedAt = plan.now()
  }

  begin(): void {
    this.#plan.budget.onCall()
    this.#outer.addAbortListener(this.#onAbort)
    this.#awaitSlowness()
    this.#launch()
  }

  readonly #onAbort = (): void => {
    // The attempts' signals follow the outer one.
    this.#end()
    this.#reject(this.#outer.abortedError())
  }

  #awaitSlowness(): void {
    const delayMs = this.#plan.delayMs()
    this.#timer = setTimeout(() => this.#onSlow(delayMs), delayMs)
  }

  #onSlow(delayMs: number): void {
    const { options, max, budget } = this.#plan
    const outer = this.#outer
    try {
      if (options.when?.(outer) === false || !budget.tryHedge()) return
      const attempt = outer.attempt + this.#attempts.length
      options.onHedge?.({ attempt, delayMs })
      // What was asked and told may have aborted the call.
      if (this.#ended) return
      outer.timeline.add({ kind: 'hedge', attempt })
      if (this.#attempts.length < max) this.#awaitSlowness()
      this.#launch()
    } catch (error) {
      this.#end()
      this.#reject(error)
      this.#cancelAllBut(undefined)
    }
  }

  #launch(): void {
    const execution = new CancellableExecution(
      this.#outer,
      this.#outer.attempt + this.#attempts.length,
    )
    this.#attempts.push(execution)
    start(this.#work, execution).then(
      (value) => this.#onSuccess(value, execution),
      (error: unknown) => this.#onFailure(error, execution),
    )
  }

  #onSuccess(value: T, winner: CancellableExecution): void {
    if (this.#ended) {
      this.#discard(value)
      return
    }
    // A first attempt that a hedge has overtaken would have taken at least as long.
    if (!this.#firstFailed) this.#plan.durations?.record(this.#plan.now() - this.#startedAt)
    this.#end()
    this.#resolve(value)
    this.#cancelAllBut(winner)
  }

  #onFailure(error: unknown, execution: CancellableExecution): void {
    if (this.#ended) return
    if (this.#failures === 0) this.#firstError = error
    if (execution === this.#attempts[0]) this.#firstFailed = true
    this.#failures += 1
    if (this.#attempts.length > 1) this.#tellFailure(error, execution)
    if (this.#failures < this.#attempts.length) return
    this.#end()
    this.#reject(this.#firstError)
  }

  /** Tells the history of a failed attempt, unless an inner policy has done so. */
  #tellFailure(error: unknown, { attempt, lastEntry, timeline }: CancellableExecution): void {
    const told = lastEntry?.kind === 'failure' || lastEntry?.kind === 'rejected'
    if (told && lastEntry?.attempt === attempt) return
    timeline.add({ kind: 'failure', attempt, reason: reasonOf(error) })
  }

  #cancelAllBut(winner: CancellableExecution | undefined): void {
    if (this.#attempts.length === 1 && winner !== undefined) return
    const reason = new Error('The call ended without this attempt.')
    for (const execution of this.#attempts) if (execution !== winner) execution.cancel(reason)
  }

  #discard(value: T): void {
    try {
      this.#plan.options.onDiscarded?.(value)
    } catch {
      // The call has ended: there is nobody left to tell.
    }
  }

  #end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#outer.removeAbortListener(this.#onAbort)
  }
}
