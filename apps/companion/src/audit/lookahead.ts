/** Reads a sequence one by one, and can look at what comes without taking it. */
export class Lookahead<T> {
  readonly #source: Iterator<T> | AsyncIterator<T>
  readonly #seen: T[] = []

  constructor(source: Iterable<T> | AsyncIterable<T>) {
    this.#source =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  }

  /** What comes `ahead` items later, 0 for the next; undefined behind the end. */
  async peek(ahead: number): Promise<T | undefined> {
    while (this.#seen.length <= ahead) {
      const { done, value } = await this.#source.next()
      if (done) return undefined
      this.#seen.push(value)
    }
    return this.#seen[ahead]
  }

  /** Takes what comes next. */
  async take(): Promise<{ readonly value: T } | undefined> {
    await this.peek(0)
    return this.#seen.length === 0 ? undefined : { value: this.#seen.shift() as T }
  }

  /** Lets the source end early. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }
}
