import { createWindow, Distribution, type RollingWindow } from '@tidegate/telemetry'
import type { Instruments } from './instruments.ts'
import { ownRoutes } from './own-route.ts'
import type { RequestMetrics } from './request-metrics.ts'
import { isUpstreamFault } from './upstream-fault.ts'

/** How requests of one kind went, since the gateway was started. Rates are 0 to 1; `null`: there were none. */
interface Summary {
  readonly count: number
  readonly success_rate: number | null
  /** Answers with 500 and above, and those that broke; of upstreams also refusals for want of room (429). */
  readonly error_rate: number | null
  readonly average_ms: number | null
  readonly p50_ms: number | null
  readonly p95_ms: number | null
  readonly p99_ms: number | null
  /** Of the last minute. */
  readonly requests_per_minute: number
}

/** Every summary of `GET /metrics` as JSON. */
export interface Summaries {
  readonly totals: Summary
  readonly routes: Readonly<Record<string, Summary>>
  readonly upstreams: Readonly<Record<string, Summary>>
  readonly tiers: Readonly<Record<string, Summary>>
}

interface Kind {
  readonly took: ReadonlyMap<string, Distribution>
  readonly ended: ReadonlyMap<string, Ended>
}

interface Ended {
  all: number
  good: number
  bad: number
}

const ALL = 'all'

/** A WebSocket lasts as long as its ends wish: it is counted, and its time is nobody's latency. */
const SWITCHED = '101'

/** Sums up requests by route and tier, and attempts by upstream. */
export class Summarizer {
  readonly #instruments: Instruments
  readonly #requests: RequestMetrics
  readonly #window: RollingWindow<number>

  constructor(instruments: Instruments, requests: RequestMetrics) {
    this.#instruments = instruments
    this.#requests = requests
    this.#window = createWindow({ read: () => this.#counts() })
  }

  /** To be called every few seconds, for what the last minute brought. */
  tick(): void {
    this.#window.tick()
  }

  read(): Summaries {
    const { perMinute } = this.#window.recent()
    const of = (kind: string, { took, ended }: Kind): Record<string, Summary> =>
      Object.fromEntries(
        [...ended].map(([name, counts]) => [
          name,
          summaryOf(took.get(name), counts, perMinute(`${kind} ${name}`)),
        ]),
      )
    const all = this.#byRoute(() => ALL)
    const tier = ([, , name]: readonly string[]): string | undefined => name || undefined
    return {
      totals: of(ALL, all)[ALL] ?? summaryOf(),
      routes: of(
        'route',
        this.#byRoute((route) => route || undefined),
      ),
      upstreams: of('upstream', this.#byUpstream()),
      tiers: of('tier', { took: this.#requests.tiers, ended: this.#endedBy(tier) }),
    }
  }

  #byRoute(nameOf: (route: string) => string | undefined): Kind {
    const { requestDuration } = this.#instruments
    const took = requestDuration.distributions(([, route = '', status]) =>
      ownRoutes.has(route) || status === SWITCHED ? undefined : nameOf(route),
    )
    const name = (values: readonly string[]): string | undefined => nameOf(values[0] ?? '')
    return { took, ended: this.#endedBy(name) }
  }

  #byUpstream(): Kind {
    const ended = new Map<string, Ended>()
    for (const [
      [upstream = '', , , error = ''],
      { count },
    ] of this.#instruments.attemptDuration.entries()) {
      const counts = countsOf(ended, upstream)
      if (error === '') counts.good += count
      else if (isUpstreamFault(error)) counts.bad += count
      counts.all += count
    }
    const took = this.#instruments.attemptDuration.distributions(([upstream]) => upstream)
    return { took, ended }
  }

  #endedBy(nameOf: (values: readonly string[]) => string | undefined): ReadonlyMap<string, Ended> {
    const ended = new Map<string, Ended>()
    for (const [values, { value }] of this.#instruments.requests.entries()) {
      const name = nameOf(values)
      if (name === undefined) continue
      const counts = countsOf(ended, name)
      if (values[3] === 'success') counts.good += value
      else if (values[3] === 'server_error') counts.bad += value
      counts.all += value
    }
    return ended
  }

  #counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    const add = (key: string, count: number): void =>
      void counts.set(key, (counts.get(key) ?? 0) + count)
    for (const [[route = '', , tier], { value }] of this.#instruments.requests.entries()) {
      add(`${ALL} ${ALL}`, value)
      if (route !== '') add(`route ${route}`, value)
      if (tier !== '') add(`tier ${tier}`, value)
    }
    for (const [[upstream], { value }] of this.#instruments.attempts.entries()) {
      add(`upstream ${upstream}`, value)
    }
    return counts
  }
}

const NONE: Readonly<Ended> = { all: 0, good: 0, bad: 0 }

function countsOf(ended: Map<string, Ended>, name: string): Ended {
  let counts = ended.get(name)
  if (counts === undefined) {
    counts = { all: 0, good: 0, bad: 0 }
    ended.set(name, counts)
  }
  return counts
}

function summaryOf(times = new Distribution(), ended = NONE, perMinute = 0): Summary {
  const { all: count, good, bad } = ended
  const rate = (part: number): number | null => (count === 0 ? null : round(part / count, 10_000))
  const quantile = (q: number): number | null => ms(times.count, times.quantile(q))
  return {
    count,
    success_rate: rate(good),
    error_rate: rate(bad),
    average_ms: ms(times.count, times.mean),
    ...{ p50_ms: quantile(0.5), p95_ms: quantile(0.95), p99_ms: quantile(0.99) },
    requests_per_minute: round(perMinute, 100),
  }
}

function ms(count: number, seconds: number): number | null {
  return count === 0 ? null : round(seconds * 1000, 100)
}

function round(value: number, parts: number): number {
  return Math.round(value * parts) / parts
}
