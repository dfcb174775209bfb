import type { Decision } from '@tidegate/rate-limit'

/** Of one policy. */
interface Counts {
  decisions: number
  denied: number
  shadow_denied: number
}

/** Counts what the limits decided: how often each was hit is how well it fits its users. */
export class LimitTally {
  readonly #policies = new Map<string, Counts>()
  readonly #sources = new Map<string, number>()
  #requests = 0
  #denied = 0

  /** One request, with what each of its policies said. */
  count(decisions: readonly Decision[], allowed: boolean): void {
    this.#requests += 1
    if (!allowed) this.#denied += 1
    for (const { policy, allowed: fits, shadow, source } of decisions) {
      const counts = this.#countsOf(policy)
      counts.decisions += 1
      if (!fits) counts[shadow ? 'shadow_denied' : 'denied'] += 1
      this.#sources.set(source, (this.#sources.get(source) ?? 0) + 1)
    }
  }

  get policies(): ReadonlyMap<string, Readonly<Counts>> {
    return this.#policies
  }

  /** As `/health/limits` tells it. */
  get report() {
    return {
      requests: this.#requests,
      denied: this.#denied,
      violation_rate: this.#requests === 0 ? 0 : this.#denied / this.#requests,
      policies: Object.fromEntries(this.#policies),
      sources: Object.fromEntries(this.#sources),
    }
  }

  #countsOf(policy: string): Counts {
    let counts = this.#policies.get(policy)
    if (counts === undefined) {
      counts = { decisions: 0, denied: 0, shadow_denied: 0 }
      this.#policies.set(policy, counts)
    }
    return counts
  }
}
