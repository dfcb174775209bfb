import { Shipping, type ShippingOptions } from './shipping.ts'
import type { HistoryMetric, HistoryRead, HistoryRun } from './store.ts'

/** What the store and this process know together. */
export interface Shared {
  readonly cells: readonly Float64Array[]
  /** What this process has sent, or is sending, and isn't in the cells. */
  readonly missing: readonly HistoryRun[]
  /** Up to when all other processes have told everything. */
  readonly toldUntil: number
}

/** How long somebody who asks waits for the store. */
const PATIENCE_MS = 1_000
/** How long nobody asks it after it didn't answer. */
const REST_MS = 2_000
/** How long it is believed to know of no other metrics. */
const METRICS_MS = 5_000

/** A store that may be away: then there is nothing shared, at once after the first who had to find out. */
export class SharedHistory {
  readonly #options: ShippingOptions
  readonly #shipping: Shipping
  readonly #timer: NodeJS.Timeout
  readonly #graceMs: number
  #awaySince = Number.NEGATIVE_INFINITY
  #metrics: { readonly until: number; readonly all: readonly HistoryMetric[] } | undefined
  failures = 0

  constructor(options: ShippingOptions, flushMs: number) {
    this.#options = {
      ...options,
      onError: (error) => {
        this.failures += 1
        options.onError(error)
      },
    }
    this.#shipping = new Shipping(this.#options)
    this.#graceMs = 3 * flushMs
    this.#timer = setInterval(() => void this.flush(), flushMs)
    this.#timer.unref()
  }

  async flush(): Promise<boolean> {
    return await this.#shipping.flush()
  }

  /** Reads, and hands what was read to `use` in the same turn, while nothing else is recorded. */
  async read<Used>(
    request: Omit<HistoryRead, 'instance'>,
    use: (shared: Shared) => Used,
  ): Promise<Used | undefined> {
    const { store, instance, now } = this.#options
    return await this.#ask(() =>
      this.#shipping.reading(
        () => patiently(store.read({ ...request, instance })),
        ({ sequence, told, cells }) => {
          const since = now() - this.#graceMs
          const others = [...told].filter(([other, until]) => other !== instance && until >= since)
          const toldUntil = Math.min(...others.map(([, until]) => until))
          return use({ cells, missing: this.#shipping.missing(sequence), toldUntil })
        },
      ),
    )
  }

  /** Every metric that the store knows; those it knew last, while it is away. */
  async metrics(): Promise<readonly HistoryMetric[]> {
    const { store, now } = this.#options
    const at = now()
    if (this.#metrics !== undefined && Math.abs(this.#metrics.until - at) <= METRICS_MS) {
      return this.#metrics.all
    }
    const all = await this.#ask(() => patiently(store.metrics(at)))
    if (all !== undefined) this.#metrics = { until: at + METRICS_MS, all }
    return this.#metrics?.all ?? []
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    const { store, instance, onError } = this.#options
    const leaving = this.flush().then((isTold) => (isTold ? store.leave(instance) : undefined))
    await patiently(leaving).catch(onError)
  }

  async #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    const { now, onError } = this.#options
    if (Math.abs(now() - this.#awaySince) < REST_MS) return undefined
    try {
      return await ask()
    } catch (error) {
      this.#awaySince = now()
      onError(error)
      return undefined
    }
  }
}

async function patiently<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`The store of the history didn't answer within ${PATIENCE_MS} ms.`))
  }, PATIENCE_MS)
  try {
    return await Promise.race([answer, promise])
  } finally {
    clearTimeout(timer)
  }
}
