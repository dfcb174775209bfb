/** Between two lines about the same subject and policy. */
const QUIET_MS = 10_000

/** Beyond this many subjects the one told of longest ago is forgotten. */
const MOST = 1_000

/** Decides which hits of a limit are worth a line: a flood of them must not become one of lines. */
export class HitLog {
  readonly #now: () => number
  readonly #told = new Map<string, { at: number; hits: number }>()

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** How many hits there were since the last line, this one included; `undefined`: no line now. */
  hit(policy: string, subject: string): number | undefined {
    const key = `${policy} ${subject}`
    const known = this.#told.get(key)
    const now = this.#now()
    if (known !== undefined && now - known.at < QUIET_MS) {
      known.hits += 1
      return undefined
    }
    const hits = (known?.hits ?? 0) + 1
    this.#told.delete(key)
    this.#told.set(key, { at: now, hits: 0 })
    if (this.#told.size > MOST) {
      const [oldest] = this.#told.keys()
      if (oldest !== undefined) this.#told.delete(oldest)
    }
    return hits
  }
}
