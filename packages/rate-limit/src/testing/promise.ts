/** What was admitted, as its caller saw it: the decision fell somewhere between the two times. */
export interface Admitted {
  /** Milliseconds on one clock that all callers share, such as `CLOCK_MONOTONIC` of their machine. */
  readonly askedAt: number
  readonly answeredAt: number
  readonly cost: number
}

/** When the store's state of a limit was lost, in part or as a whole: by a flush, an eviction, a failover. */
export interface Loss {
  /** It happened somewhere between the two times, which are on the clock of the admissions. */
  readonly from: number
  readonly to: number
  /** Milliseconds by which the state was older that took over. Default 0. */
  readonly lagMs?: number
}

/** What is promised of a token bucket. */
export interface Promised {
  readonly limit: number
  readonly windowMs: number
  readonly burst: number
  /** Tokens that may be admitted beyond it; `maxOvershoot · burst` of loose leases. Default 0. */
  readonly overshoot?: number
  /** How many milliseconds leases last that are spent without asking: so long they outlive a loss. Default 0. */
  readonly leaseMs?: number
}

/** An interval and what was admitted in it. */
export interface Interval {
  readonly from: number
  readonly to: number
  /** Tokens admitted, as far as they were surely admitted between `from` and `to`. */
  readonly admitted: number
  /** Tokens promised for it. */
  readonly allowed: number
}

/** Stores count whole milliseconds, so an interval may be one longer to them. */
const GRAIN_MS = 1

/**
 * Of all intervals Δ, the one in which most was admitted beyond the promise, or least was left to it:
 *
 * `admitted ≤ burst + overshoot + rate · Δ + Σ (burst + rate · lag)`, summed over the losses of state in Δ,
 * and those up to `leaseMs` before it: what was leased before a loss may be spent beside what came after it.
 *
 * The promise was kept if its `admitted` isn't above its `allowed`. What counts for an interval is what was
 * asked and answered within it; so no delay of an answer can look like an excess. `undefined` when
 * nothing was admitted. Takes O(n log n).
 */
export function tightestInterval(
  { limit, windowMs, burst, overshoot = 0, leaseMs = 0 }: Promised,
  admissions: readonly Admitted[],
  losses: readonly Loss[] = [],
): Interval | undefined {
  const rate = limit / windowMs
  const grants = (loss: Loss): number => burst + rate * (loss.lagMs ?? 0)
  const begun = ladder(losses, (loss) => loss.from, grants)
  const ended = ladder(losses, (loss) => loss.to + leaseMs, grants)

  // An interval from s to e is measured by what ends in it: all of that only depends on e but for s itself.
  const byEnd = admissions.toSorted((a, b) => a.answeredAt - b.answeredAt)
  const rank = new Map(byEnd.map((admission, at) => [admission, at]))
  const excess = new SuffixMaximum(
    byEnd.map(({ answeredAt }) => -rate * answeredAt - begun.upTo(answeredAt)),
  )
  let tightest: { excess: number; from: number; to: number } | undefined
  for (const admission of byEnd.toSorted((a, b) => b.askedAt - a.askedAt)) {
    const at = rank.get(admission) ?? 0
    excess.add(at, admission.cost)
    const { value, index } = excess.maximumFrom(at)
    const from = admission.askedAt
    const beyond = value + rate * (from - GRAIN_MS) + ended.before(from) - burst - overshoot
    if (tightest === undefined || beyond > tightest.excess) {
      tightest = { excess: beyond, from, to: byEnd[index]?.answeredAt ?? from }
    }
  }
  if (tightest === undefined) return undefined
  const { from, to } = tightest
  const inside = admissions.filter(({ askedAt, answeredAt }) => askedAt >= from && answeredAt <= to)
  const admitted = inside.reduce((sum, { cost }) => sum + cost, 0)
  return { from, to, admitted, allowed: admitted - tightest.excess }
}

/** Sums of what the losses grant, by time. */
function ladder(losses: readonly Loss[], at: (loss: Loss) => number, of: (loss: Loss) => number) {
  const sum = (taken: readonly Loss[]) => taken.reduce((total, loss) => total + of(loss), 0)
  return {
    upTo: (time: number) => sum(losses.filter((loss) => at(loss) <= time)),
    before: (time: number) => sum(losses.filter((loss) => at(loss) < time)),
  }
}

/** Numbers to which the same can be added from some index on, and whose largest is known at any time. */
class SuffixMaximum {
  readonly #size: number
  /** The largest of each subtree, less what its ancestors add to all of it. */
  readonly #largest: Float64Array
  readonly #added: Float64Array

  constructor(values: readonly number[]) {
    this.#size = 2 ** Math.ceil(Math.log2(Math.max(1, values.length)))
    this.#largest = new Float64Array(2 * this.#size).fill(Number.NEGATIVE_INFINITY)
    this.#added = new Float64Array(2 * this.#size)
    values.forEach((value, index) => {
      this.#largest[this.#size + index] = value
    })
    for (let node = this.#size - 1; node >= 1; node -= 1) this.#settle(node)
  }

  /** Adds to everything from `index` on. */
  add(index: number, amount: number): void {
    let node = this.#size + index
    this.#raise(node, amount)
    for (; node > 1; node >>= 1) {
      if (node % 2 === 0) this.#raise(node + 1, amount)
      this.#settle(node >> 1)
    }
  }

  /** The largest from `index` on, and where it is. */
  maximumFrom(index: number): { value: number; index: number } {
    let best = { node: this.#size + index, value: this.#valueAt(this.#size + index) }
    for (let node = this.#size + index; node > 1; node >>= 1) {
      if (node % 2 === 1) continue
      const value = this.#valueAt(node + 1)
      if (value > best.value) best = { node: node + 1, value }
    }
    let { node } = best
    while (node < this.#size) {
      const [left, right] = [2 * node, 2 * node + 1]
      node = (this.#largest[left] ?? 0) >= (this.#largest[right] ?? 0) ? left : right
    }
    return { value: best.value, index: node - this.#size }
  }

  #raise(node: number, amount: number): void {
    this.#largest[node] = (this.#largest[node] ?? 0) + amount
    this.#added[node] = (this.#added[node] ?? 0) + amount
  }

  #settle(node: number): void {
    const largest = Math.max(this.#largest[2 * node] ?? 0, this.#largest[2 * node + 1] ?? 0)
    this.#largest[node] = largest + (this.#added[node] ?? 0)
  }

  #valueAt(node: number): number {
    let value = this.#largest[node] ?? 0
    for (let above = node >> 1; above >= 1; above >>= 1) value += this.#added[above] ?? 0
    return value
  }
}
