import { type Check, CheckError, type CheckOutcome } from './check.ts'
import type { ComponentPlan } from './component-options.ts'
import { Damping } from './damping.ts'
import { outcomeOfThrown } from './fault.ts'
import type { CheckResult } from './report.ts'
import { STATUSES } from './status.ts'

/** What all components of one health have in common. */
export interface Surroundings {
  readonly now: () => number
  readonly random: () => number
  readonly onResult: (name: string, from: CheckResult | undefined, result: CheckResult) => void
  readonly onError: (name: string, error: unknown) => void
}

type Settled = { readonly outcome: CheckOutcome } | { readonly thrown: unknown }

/** The next look of the background comes this share of the interval sooner or later, so that many spread. */
const JITTER = 0.1

/** One registered check: runs it once at a time, remembers what it said, and looks again by itself. */
export class Component {
  readonly #name: string
  readonly #check: Check
  readonly #plan: ComponentPlan
  readonly #around: Surroundings
  readonly #damping: Damping
  #last: CheckResult | undefined
  #lastAt = Number.NEGATIVE_INFINITY
  #running: Promise<CheckResult> | undefined
  #stop: ((reason: CheckError) => void) | undefined
  #abandonedAt: number | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(name: string, check: Check, plan: ComponentPlan, around: Surroundings) {
    this.#name = name
    this.#check = check
    this.#plan = plan
    this.#around = around
    this.#damping = new Damping(plan.damping)
    if (plan.intervalMs > 0) this.#lookAfter(0)
  }

  get plan(): ComponentPlan {
    return this.#plan
  }

  get last(): CheckResult | undefined {
    return this.#last
  }

  /** What is known, if it is fresh enough, or else what the check says now; all who ask share one call. */
  async run(fresh: boolean): Promise<CheckResult> {
    const { ttlMs } = this.#plan
    if (!fresh && this.#last !== undefined && this.#around.now() - this.#lastAt < ttlMs) {
      return this.#last
    }
    return await this.#look(false)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#stop?.(new CheckError('closed', 'The checks were closed while this one ran.'))
  }

  #lookAfter(ms: number): void {
    const next = async (): Promise<void> => {
      await this.#look(true)
      const spread = 1 + JITTER * (2 * this.#around.random() - 1)
      if (!this.#closed) this.#lookAfter(this.#plan.intervalMs * spread)
    }
    this.#timer = setTimeout(() => void next(), ms)
    this.#timer.unref()
  }

  #look(background: boolean): Promise<CheckResult> {
    this.#running ??= this.#begin(background).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #begin(background: boolean): Promise<CheckResult> {
    const began = this.#around.now()
    const outcome =
      this.#abandonedAt === undefined
        ? await this.#bounded(background)
        : { status: 'unhealthy' as const, error: this.#stillRunning(this.#abandonedAt) }
    return this.#conclude(outcome, began)
  }

  /** The check's outcome, or what is to be said when it took too long. Never rejects. */
  async #bounded(background: boolean): Promise<CheckOutcome> {
    const controller = new AbortController()
    const attempt = this.#attempt(controller.signal)
    const over = Promise.withResolvers<undefined>()
    const giveUp = (reason: CheckError): void => {
      controller.abort(reason)
      // One turn for a check that honours its signal to tell more than that it was too slow.
      setImmediate(() => over.resolve(undefined))
    }
    this.#stop = giveUp
    const timer = setTimeout(() => giveUp(this.#tooSlow()), this.#plan.timeoutMs)
    if (background) timer.unref()
    const settled = await Promise.race([attempt, over.promise])
    clearTimeout(timer)
    this.#stop = undefined
    const { signal } = controller
    if (settled === undefined) this.#abandon(attempt)
    if (signal.aborted) return outcomeOfLate(settled, signal.reason)
    if (settled === undefined || 'outcome' in settled) return settled?.outcome ?? {}
    this.#around.onError(this.#name, settled.thrown)
    return outcomeOfThrown(settled.thrown)
  }

  async #attempt(signal: AbortSignal): Promise<Settled> {
    try {
      return { outcome: checked(await this.#check({ signal })) }
    } catch (thrown) {
      return { thrown }
    }
  }

  /** Until it ends there won't be another: whatever hangs doesn't pile up. */
  #abandon(attempt: Promise<unknown>): void {
    this.#abandonedAt = this.#around.now()
    void attempt.then(() => {
      this.#abandonedAt = undefined
    })
  }

  #tooSlow(): CheckError {
    return new CheckError('timeout', `There was no answer within ${this.#plan.timeoutMs} ms.`)
  }

  #stillRunning(sinceMs: number): CheckError {
    const forMs = Math.round(this.#around.now() - sinceMs)
    return new CheckError(
      'still_running',
      `The check was given up ${forMs} ms ago and still hasn't ended; it isn't begun anew before that.`,
    )
  }

  #conclude(outcome: CheckOutcome, began: number): CheckResult {
    const { now, onResult } = this.#around
    const at = now()
    const tookMs = at - began
    const { status, error } = this.#judge(outcome, tookMs)
    const held = this.#damping.push(status)
    const before = this.#last
    const checkedAt = new Date(at).toISOString()
    const result: CheckResult = {
      status: held,
      ...(held !== status && { observed: status }),
      latency_ms: Math.round(tookMs * 100) / 100,
      checked_at: checkedAt,
      since: before?.status === held ? before.since : checkedAt,
      critical: this.#plan.critical,
      ...(this.#plan.tags.length > 0 && { tags: this.#plan.tags }),
      ...(error && { error: { code: error.code, message: error.message } }),
      ...(outcome.details && { details: outcome.details }),
    }
    this.#last = result
    this.#lastAt = at
    if (!this.#closed) onResult(this.#name, before, result)
    return result
  }

  #judge(
    { status, error }: CheckOutcome,
    tookMs: number,
  ): Required<Pick<CheckResult, 'status'>> & Pick<CheckOutcome, 'error'> {
    const found = status ?? (error === undefined ? 'healthy' : 'unhealthy')
    const { slowMs } = this.#plan
    if (found !== 'healthy' || tookMs < slowMs) return { status: found, error }
    const message = `It took ${Math.round(tookMs)} ms; from ${slowMs} ms on that is slow.`
    return { status: 'degraded', error: { code: 'slow', message } }
  }
}

/** A check that ended only because it was given up may say why it took so long, but not that all is well. */
function outcomeOfLate(settled: Settled | undefined, reason: CheckError): CheckOutcome {
  const late = outcomeOfThrown(reason)
  if (settled === undefined) return late
  if ('outcome' in settled) return { ...late, details: settled.outcome.details }
  return settled.thrown instanceof CheckError ? outcomeOfThrown(settled.thrown) : late
}

function checked(outcome: unknown): CheckOutcome {
  if (outcome === undefined) return {}
  if (typeof outcome !== 'object' || outcome === null) throw senseless()
  const { status, error }: CheckOutcome = outcome
  if (status !== undefined && !STATUSES.includes(status)) throw senseless()
  const isFault = typeof error?.code === 'string' && typeof error.message === 'string'
  if (error !== undefined && !isFault) throw senseless()
  return outcome
}

function senseless(): CheckError {
  return new CheckError(
    'invalid_outcome',
    'The check has to return nothing, or { status, error, details } with a status of healthy, degraded or unhealthy and an error of { code, message }.',
  )
}
