/** Fewer calls than this in a span aren't worth a lease: what it would hold is better left to all. */
const LEAST_CALLS = 4

/** How much of a span has to be seen before it is believed to go on like that. */
const LEAST_SHARE = 1 / 8

/** How much is asked for, from what this span of time and the last one saw. */
export class Demand {
  readonly #spanMs: number
  #since: number
  #calls = 0
  #tokens = 0
  #lastCalls = 0
  #lastTokens = 0

  constructor(spanMs: number, now: number) {
    this.#spanMs = spanMs
    this.#since = now
  }

  note(tokens: number, now: number): void {
    if (now - this.#since >= this.#spanMs) this.#turn(now)
    this.#calls += 1
    this.#tokens += tokens
  }

  /** Tokens expected in the span to come; 0 where little is asked. A rush is believed at once. */
  expected(now: number): number {
    if (now - this.#since >= this.#spanMs) this.#turn(now)
    const share = (now - this.#since) / this.#spanMs
    if (this.#calls + this.#lastCalls * (1 - share) < LEAST_CALLS) return 0
    const lately = this.#tokens + this.#lastTokens * (1 - share)
    return Math.ceil(Math.max(lately, this.#tokens / Math.max(share, LEAST_SHARE)))
  }

  #turn(now: number): void {
    const recent = now - this.#since < 2 * this.#spanMs
    this.#lastCalls = recent ? this.#calls : 0
    this.#lastTokens = recent ? this.#tokens : 0
    this.#calls = 0
    this.#tokens = 0
    this.#since = recent ? this.#since + this.#spanMs : now
  }
}
