/** Sixteen slots to an octave, taken from a double's exponent and first four bits. */
const slotsPerOctave = 16
const exponentOfOne = 1023
/** Values below 2^-40 count as zero: they all are in the first slot. */
const lowestSlot = (exponentOfOne - 40) * slotsPerOctave
const endOfSlots = (exponentOfOne + 63) * slotsPerOctave

const valueLimit = 2 ** 63

const double = new Float64Array(1)
const halves = new Uint32Array(double.buffer)
const high = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0

/**
 * Whether a value can be counted: a number from 0 to 2^63, excluded. No duration, size or count is another
 * one; and code that no compiler has seen may give a text, which would turn a sum into one.
 */
export function isRecordable(value: number): boolean {
  return typeof value === 'number' && value >= 0 && value < valueLimit
}

function slotOf(value: number): number {
  double[0] = value
  return Math.max((halves[high] ?? 0) >>> 16, lowestSlot)
}

/** A value that is at most 1/32 of itself away from any other in its slot. */
function middleOf(slot: number): number {
  if (slot === lowestSlot) return 0
  return (lowerBound(slot) + lowerBound(slot + 1)) / 2
}

function lowerBound(slot: number): number {
  halves[high] = (slot << 16) >>> 0
  halves[1 - high] = 0
  return double[0] ?? 0
}

/**
 * How values are distributed over logarithmic slots: any quantile within 4 %, from 1e-12 (less is zero)
 * to 9e18, in 128 bytes for each doubling between the least and the greatest value, 13 KB at most.
 * Distributions can be added up, and an earlier one of the same source subtracted.
 */
export class Distribution {
  #slots = new Float64Array(0)
  #first = 0
  #count = 0
  #sum = 0

  /** How many values. */
  get count(): number {
    return this.#count
  }

  /** Of all values. */
  get sum(): number {
    return this.#sum
  }

  /** NaN without values. */
  get mean(): number {
    return this.#sum / this.#count
  }

  /** Counts one value from 0 to 2^63, excluded; says false, and counts nothing, for any other. */
  record(value: number): boolean {
    if (!isRecordable(value)) return false
    const slot = slotOf(value)
    let index = slot - this.#first
    if (index < 0 || index >= this.#slots.length) {
      this.#cover(slot, slot)
      index = slot - this.#first
    }
    this.#slots[index] = (this.#slots[index] ?? 0) + 1
    this.#count += 1
    this.#sum += value
    return true
  }

  /** The value below or at which the share `q` (0 to 1) of all values is; NaN without values. */
  quantile(q: number): number {
    if (this.#count === 0 || Number.isNaN(q)) return Number.NaN
    let left = Math.min(Math.max(1, Math.ceil(q * this.#count)), this.#count)
    let last = lowestSlot
    for (const [index, count] of this.#slots.entries()) {
      if (count <= 0) continue
      last = this.#first + index
      left -= count
      if (left <= 0) break
    }
    return middleOf(last)
  }

  /** Takes the values of another one in. */
  merge(other: Distribution): this {
    if (other.#slots.length > 0) {
      this.#cover(other.#first, other.#first + other.#slots.length - 1)
    }
    return this.#combine(other, 1)
  }

  /** What was recorded since `earlier`, a copy that was made of the same source before. */
  minus(earlier: Distribution): Distribution {
    return this.copy().#combine(earlier, -1)
  }

  /** The same values, independent from now on. */
  copy(): Distribution {
    return new Distribution().merge(this)
  }

  #combine(other: Distribution, sign: 1 | -1): this {
    const [slots, others] = [this.#slots, other.#slots]
    const offset = other.#first - this.#first
    // By index: iterating over pairs takes twenty times as long, for each series each second.
    const end = Math.min(others.length, slots.length - offset)
    for (let index = Math.max(0, -offset); index < end; index += 1) {
      const own = index + offset
      slots[own] = Math.max(0, (slots[own] ?? 0) + sign * (others[index] ?? 0))
    }
    this.#count = Math.max(0, this.#count + sign * other.#count)
    this.#sum = Math.max(0, this.#sum + sign * other.#sum)
    return this
  }

  /** Whole octaves, so that a series grows a few times in its life. */
  #cover(from: number, to: number): void {
    const empty = this.#slots.length === 0
    const low = Math.min(from, empty ? from : this.#first)
    const end = Math.max(to + 1, empty ? 0 : this.#first + this.#slots.length)
    const first = low - (low % slotsPerOctave)
    const length = Math.min(Math.ceil(end / slotsPerOctave) * slotsPerOctave, endOfSlots) - first
    if (!empty && first === this.#first && length === this.#slots.length) return
    const slots = new Float64Array(length)
    if (!empty) slots.set(this.#slots, this.#first - first)
    this.#slots = slots
    this.#first = first
  }
}
