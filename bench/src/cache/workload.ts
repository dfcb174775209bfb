/** What is kept: a small record, as APIs answer with. */
export interface Value {
  readonly id: string
  readonly name: string
  readonly text: string
  readonly at: number
}

/** Keys that are asked for, in an order that is always the same; as many as a power of two. */
export function orderOf(keys: readonly string[]): readonly string[] {
  let state = 1
  return Array.from({ length: ORDER }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return keys[Math.floor((state / 2 ** 32) * keys.length)] ?? ''
  })
}

export const ORDER = 16_384

export function keysOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `user:${i}`)
}

/** About 400 bytes as JSON. */
export function recordOf(key: string): Value {
  return { id: key, name: `The name of ${key}`, text: 'x'.repeat(330), at: 1_800_000_000_000 }
}
