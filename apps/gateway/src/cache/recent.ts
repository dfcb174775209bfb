/**
 * What was made of texts lately, at most `most` twice over: when so many new ones have come, those that weren't
 * asked for since the last time are forgotten. Forgetting costs nothing, and no order has to be kept.
 */
export class Recent<Value> {
  readonly #most: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  constructor(most: number) {
    this.#most = most
  }

  get(text: string): Value | undefined {
    const value = this.#young.get(text)
    if (value !== undefined) return value
    const before = this.#old.get(text)
    if (before !== undefined) this.set(text, before)
    return before
  }

  set(text: string, value: Value): void {
    if (this.#young.size >= this.#most) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, value)
  }
}
