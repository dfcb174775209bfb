import type { Check } from './check.ts'
import { monotonicNow } from './clock.ts'
import { Component, type Surroundings } from './component.ts'
import { type CheckOptions, planOf } from './component-options.ts'
import { HealthError } from './errors.ts'
import { callable, checkName, checkNames } from './option-checks.ts'
import { quietly } from './quietly.ts'
import type { CheckResult, HealthReport, Readiness } from './report.ts'
import { overall } from './status.ts'

/** A status that changed. */
export interface HealthChange {
  readonly name: string
  /** `undefined` before the first result. */
  readonly from: CheckResult['status'] | undefined
  readonly to: CheckResult['status']
  readonly result: CheckResult
}

/** Options of {@link createHealth}. */
export interface HealthOptions {
  /** Of the program whose health it is. */
  readonly version?: string | undefined
  /** Whether it is being taken out of service, such as `() => !shutdown.ready`: then it isn't ready. */
  readonly isDraining?: (() => boolean) | undefined
  /** Told of a status that changed, its first result among them. What it throws is dropped. */
  readonly onChange?: ((change: HealthChange) => void) | undefined
  /** Told what a check threw, as it was: for the log, as results show only its code. */
  readonly onError?: ((name: string, error: unknown) => void) | undefined
  /** Milliseconds since 1970. Default: a monotonic clock. */
  readonly now?: (() => number) | undefined
  /** A number from 0 up to 1, by which looks of the background are spread. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** Which checks, and how fresh their results have to be. */
export interface ReportOptions {
  /** Only checks with at least one of these tags. Default: all. */
  readonly tags?: readonly string[] | undefined
  /** Look now, whatever is known. One that runs already is waited for, not run twice. Default false. */
  readonly fresh?: boolean | undefined
}

/** Checks, and what they add up to. */
export interface Health {
  /**
   * Adds a check; what it returns takes it away again.
   *
   * @throws HealthError `duplicate`, `invalid_option`, `closed`
   */
  register(name: string, check: Check, options?: CheckOptions): () => void
  /** Names of all checks, in the order they were registered. */
  readonly names: readonly string[]
  /** What a check said last, without asking it; `undefined` before its first result. */
  last(name: string): CheckResult | undefined
  /**
   * How one check stands: what is known while its `ttl` lasts, else what it says now.
   *
   * @throws HealthError `unknown_check`
   */
  run(name: string, options?: Pick<ReportOptions, 'fresh'>): Promise<CheckResult>
  /** How all stand, or those with a tag. */
  report(options?: ReportOptions): Promise<HealthReport>
  /** That the process answers. Looks at nothing: no restart repairs what others broke. */
  liveness(): { readonly status: 'alive'; readonly uptime_seconds: number }
  /** Whether requests should come: not while draining, nor while a critical check is unhealthy. */
  readiness(): Promise<Readiness>
  /** Ends the looks of the background and gives up what runs. */
  close(): void
  [Symbol.dispose](): void
}

const NAMES = ['version', 'isDraining', 'onChange', 'onError', 'now', 'random']

/**
 * Makes a place where checks are registered, run one at a time each, and added up. A check can't harm it:
 * what throws, hangs or returns nonsense is unhealthy.
 *
 * @throws HealthError `invalid_option`
 */
export function createHealth(options: HealthOptions = {}): Health {
  checkNames('createHealth', options, NAMES)
  return new Checks(options)
}

class Checks implements Health {
  readonly #components = new Map<string, Component>()
  readonly #options: HealthOptions
  readonly #around: Surroundings
  readonly #now: () => number
  readonly #startedAt: number
  #closed = false

  constructor(options: HealthOptions) {
    const { now = monotonicNow, random = Math.random, onChange, onError } = options
    this.#options = options
    this.#now = callable('now', now)
    this.#startedAt = now()
    this.#around = {
      now,
      random: callable('random', random),
      onResult(name, before, result) {
        if (before?.status === result.status) return
        quietly(() => onChange?.({ name, from: before?.status, to: result.status, result }))
      },
      onError: (name, error) => quietly(() => onError?.(name, error)),
    }
  }

  get names(): readonly string[] {
    return [...this.#components.keys()]
  }

  register(name: string, check: Check, options: CheckOptions = {}): () => void {
    if (this.#closed) throw new HealthError('closed', 'The checks are closed: none can be added.')
    checkName('The name of a check', name)
    callable(`The check "${name}"`, check)
    if (this.#components.has(name)) {
      throw new HealthError('duplicate', `There is a check "${name}" already: name this one apart.`)
    }
    const component = new Component(name, check, planOf(name, options), this.#around)
    this.#components.set(name, component)
    return () => {
      component.close()
      if (this.#components.get(name) === component) this.#components.delete(name)
    }
  }

  last(name: string): CheckResult | undefined {
    return this.#components.get(name)?.last
  }

  async run(name: string, { fresh = false }: ReportOptions = {}): Promise<CheckResult> {
    const component = this.#components.get(name)
    if (component !== undefined) return await component.run(fresh)
    throw new HealthError('unknown_check', `There is no check "${name}". Register it first.`)
  }

  async report({ tags, fresh = false }: ReportOptions = {}): Promise<HealthReport> {
    const wanted = [...this.#components].filter(
      ([, { plan }]) => tags === undefined || plan.tags.some((tag) => tags.includes(tag)),
    )
    const results = await Promise.all(
      wanted.map(async ([name, component]) => [name, await component.run(fresh)] as const),
    )
    const { version } = this.#options
    return {
      status: this.#isDraining ? 'unhealthy' : overall(results.map(([, result]) => result)),
      ...(version !== undefined && { version }),
      timestamp: new Date(this.#now()).toISOString(),
      uptime_seconds: this.#uptime,
      components: Object.fromEntries(results),
    }
  }

  liveness(): { readonly status: 'alive'; readonly uptime_seconds: number } {
    return { status: 'alive', uptime_seconds: this.#uptime }
  }

  async readiness(): Promise<Readiness> {
    if (this.#isDraining) return { ready: false, status: 'draining', failing: [], degraded: [] }
    const results = Object.entries((await this.report()).components)
    const failing = results.filter(([, { critical, status }]) => critical && status === 'unhealthy')
    const worse = results.filter((each) => each[1].status !== 'healthy' && !failing.includes(each))
    // It may have begun while the checks were asked.
    const status = this.#isDraining ? 'draining' : failing.length > 0 ? 'not_ready' : 'ready'
    const [failingNames, degraded] = [failing, worse].map((list) => list.map(([name]) => name))
    return {
      ready: status === 'ready',
      status,
      failing: failingNames ?? [],
      degraded: degraded ?? [],
    }
  }

  close(): void {
    this.#closed = true
    for (const component of this.#components.values()) component.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  get #isDraining(): boolean {
    return this.#options.isDraining?.() ?? false
  }

  get #uptime(): number {
    return Math.max(0, Math.round((this.#now() - this.#startedAt) / 1_000))
  }
}
