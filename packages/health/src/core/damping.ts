import { count } from './option-checks.ts'
import { type HealthStatus, STATUSES, severity } from './status.ts'

/** How many results in a row it takes to change a status. */
export interface DampingOptions {
  /** Results in a row that are worse than the status, before it gets worse. Default 1. */
  readonly failures?: number | undefined
  /** Results in a row that are better than the status, before it gets better. Default 1. */
  readonly successes?: number | undefined
}

/** Keeps a status from flapping. The first result counts at once. */
export class Damping {
  readonly #failures: number
  readonly #successes: number
  /** By severity: how many of the last results in a row were at least, and at most, so bad. */
  readonly #atLeast = [0, 0, 0]
  readonly #atMost = [0, 0, 0]
  #status: HealthStatus | undefined

  constructor({ failures = 1, successes = 1 }: DampingOptions = {}) {
    this.#failures = count('damping.failures', failures, 1)
    this.#successes = count('damping.successes', successes, 1)
  }

  /** Takes a result and gives the status that holds now. */
  push(result: HealthStatus): HealthStatus {
    const now = severity(result)
    for (let level = 0; level < STATUSES.length; level += 1) {
      this.#atLeast[level] = now >= level ? (this.#atLeast[level] ?? 0) + 1 : 0
      this.#atMost[level] = now <= level ? (this.#atMost[level] ?? 0) + 1 : 0
    }
    this.#status = this.#status === undefined ? result : this.#settle(this.#status)
    return this.#status
  }

  /** The worst level that enough results reached, or else the best one that enough kept to. */
  #settle(status: HealthStatus): HealthStatus {
    const current = severity(status)
    const worse = this.#atLeast.findLastIndex((seen) => seen >= this.#failures)
    if (worse > current) return STATUSES[worse] ?? status
    const better = this.#atMost.findIndex((seen) => seen >= this.#successes)
    return better >= 0 && better < current ? (STATUSES[better] ?? status) : status
  }
}
