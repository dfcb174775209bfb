import { EventsError } from './errors.ts'

const FORM = /^(\d{1,20})-(\d{1,20})$/
const PART_BITS = 64n
const LARGEST_PART = 2n ** PART_BITS - 1n

/**
 * The place of an id among others: of two, the later one's is greater.
 *
 * @throws EventsError `invalid_id`.
 */
export function placeOfId(id: string): bigint {
  const [, first, second] = FORM.exec(id) ?? []
  if (first !== undefined && second !== undefined) {
    const [ms, number] = [BigInt(first), BigInt(second)]
    if (ms <= LARGEST_PART && number <= LARGEST_PART) return (ms << PART_BITS) | number
  }
  const shown = JSON.stringify(id.slice(0, 50))
  throw new EventsError(
    'invalid_id',
    `${shown} is no id of a log: give one that a log gave, <ms>-<n>.`,
  )
}

/** The id at a place; of places beyond the last one, the last one. */
export function idAtPlace(place: bigint): string {
  const last = (LARGEST_PART << PART_BITS) | LARGEST_PART
  const within = place > last ? last : place
  return `${within >> PART_BITS}-${within & LARGEST_PART}`
}

/** The lowest place that an entry of a time, in milliseconds, can have. */
export function placeAt(ms: number): bigint {
  // No entry is at 0-0.
  return ms === 0 ? 1n : BigInt(ms) << PART_BITS
}

/** The time of a place, in milliseconds. */
export function timeOfPlace(place: bigint): number {
  return Number(place >> PART_BITS)
}
