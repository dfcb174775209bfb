/** Random numbers that are the same each time: mulberry32. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to 1, without either. */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296
  }

  /** Normally distributed around 0, with a deviation of 1. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** How often something happens that happens so often on average. */
  poisson(mean: number): number {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()))
    let [count, left] = [0, Math.exp(-mean)]
    for (let product = this.uniform(); product > left; product *= this.uniform()) count += 1
    return count
  }
}

/** What traffic is like at a time, apart from chance. */
export interface Conditions {
  /** Requests per second. */
  rate: number
  /** Median latency, in milliseconds. */
  latencyMs: number
  /** Share of requests that fail. */
  errors: number
  /** Tokens of a request. */
  tokens: number
}

/** Traffic of a kind: what it is like at each point. */
export type Pattern = (point: number, chance: Chance) => Conditions

/** What is measured of ten seconds; of no requests there is no latency and no share. */
export interface Measured {
  readonly requests: number
  readonly latencyP95: number | null
  readonly errorRatio: number | null
  readonly tokensPerSecond: number
}

export const POINT_SECONDS = 10
export const POINTS_PER_DAY = 86_400 / POINT_SECONDS

const USUAL: Conditions = { rate: 20, latencyMs: 400, errors: 0.005, tokens: 600 }

/** Something that varies around 1 and goes on varying in the same direction for a while. */
function wandering(persistence: number, spread: number): (chance: Chance) => number {
  let state = 0
  const fresh = Math.sqrt(1 - persistence * persistence)
  return (chance) => {
    state = persistence * state + fresh * chance.normal()
    return Math.exp(spread * state)
  }
}

/** Kinds of traffic in which nothing is wrong, each made anew for so many days. */
export const patterns = {
  steady: (): Pattern => () => USUAL,
  noisy: (): Pattern => {
    const [rate, latency] = [wandering(0.9, 0.3), wandering(0.9, 0.25)]
    return (_, chance) => ({
      ...USUAL,
      rate: USUAL.rate * rate(chance),
      latencyMs: USUAL.latencyMs * latency(chance),
    })
  },
  diurnal: (): Pattern => (point) => {
    const day = Math.sin((2 * Math.PI * point) / POINTS_PER_DAY)
    const { rate, latencyMs } = USUAL
    return { ...USUAL, rate: rate * (1 + 0.9 * day), latencyMs: latencyMs * (1 + 0.3 * day) }
  },
  spiky: (): Pattern => (_, chance) => {
    if (chance.uniform() > 0.01) return USUAL
    return { rate: 100, latencyMs: 1_600, errors: 0.05, tokens: 600 }
  },
  quiet: (): Pattern => () => ({ ...USUAL, rate: 0.05 }),
  launch:
    (days: number): Pattern =>
    (point) => ({ ...USUAL, rate: point < (days * POINTS_PER_DAY) / 2 ? 20 : 100 }),
} satisfies Readonly<Record<string, (days: number) => Pattern>>

/** How much latencies vary from request to request: of a hundred, five take more than three times as long. */
const LATENCY_SPREAD = 0.7

/** What is measured under such conditions. */
export function measure({ rate, latencyMs, errors, tokens }: Conditions, chance: Chance): Measured {
  const requests = chance.poisson(rate * POINT_SECONDS)
  if (requests === 0) {
    return { requests, latencyP95: null, errorRatio: null, tokensPerSecond: 0 }
  }
  // The quantile that the 95th of a hundred is in truth varies the more the fewer there are.
  const share = 0.95 + chance.normal() * Math.sqrt((0.95 * 0.05) / requests)
  const quantile = normalQuantile(Math.min(Math.max(share, 0.5), 1 - 0.5 / requests))
  const failed = Math.min(chance.poisson(errors * requests), requests)
  const used = tokens * (requests + 0.8 * Math.sqrt(requests) * chance.normal())
  return {
    requests,
    latencyP95: latencyMs * Math.exp(LATENCY_SPREAD * quantile),
    errorRatio: failed / requests,
    tokensPerSecond: Math.max(0, used) / POINT_SECONDS,
  }
}

/** Below which value so large a share of a normal distribution is: within 0.005, by Hastings. */
function normalQuantile(share: number): number {
  if (share < 0.5) return -normalQuantile(1 - share)
  const t = Math.sqrt(-2 * Math.log(Math.max(1 - share, 1e-12)))
  return t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t)
}
