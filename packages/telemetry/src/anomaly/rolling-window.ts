/** The last so many values, in order of size: 16 bytes for each. */
export class RollingWindow {
  /** In order of time, from `#next` on once it is full. */
  readonly #recent: Float64Array
  readonly #sorted: Float64Array
  #next = 0
  size = 0

  constructor(capacity: number) {
    this.#recent = new Float64Array(capacity)
    this.#sorted = new Float64Array(capacity)
  }

  /** Adds a value, in place of the oldest when it is full. */
  push(value: number): void {
    if (this.size === this.#recent.length) this.#remove(this.#recent[this.#next] ?? 0)
    this.#recent[this.#next] = value
    this.#next = (this.#next + 1) % this.#recent.length
    const at = this.#indexOf(value)
    this.#sorted.copyWithin(at + 1, at, this.size)
    this.#sorted[at] = value
    this.size += 1
  }

  /** The value that such a share of all are below, 0 to 1: 0.5 is the median. `NaN` of none. */
  quantile(share: number): number {
    const place = share * (this.size - 1)
    const [below, above] = [this.#value(Math.floor(place)), this.#value(Math.ceil(place))]
    const part = place - Math.floor(place)
    return below * (1 - part) + above * part
  }

  #value(index: number): number {
    return this.#sorted[index] ?? Number.NaN
  }

  #remove(value: number): void {
    const at = this.#indexOf(value)
    this.#sorted.copyWithin(at, at + 1, this.size)
    this.size -= 1
  }

  /** Where the first value is that isn't less. */
  #indexOf(value: number): number {
    let [low, high] = [0, this.size]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#value(middle) < value) low = middle + 1
      else high = middle
    }
    return low
  }
}
