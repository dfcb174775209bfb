import { deserialize, serialize } from 'node:v8'

/**
 * Turns values into bytes for the second tier, and back. What it throws makes the value stay in the first
 * tier, or what was read a miss. Bytes (`Uint8Array`) never come here: they are stored as they are.
 */
export interface Serializer {
  /**
   * Stands in front of all that it wrote: what another one wrote is a miss. 1 to 64 characters of ASCII;
   * change it when the form changes.
   */
  readonly name: string
  serialize(value: unknown): Uint8Array
  deserialize(bytes: Uint8Array): unknown
}

/**
 * The default. What JSON doesn't know comes back changed: a `Date` as text, `NaN` as `null`, a `Map` as
 * `{}`. A `bigint`, a function, `undefined` or a value that contains itself can't be stored.
 */
export const jsonSerializer: Serializer = Object.freeze({
  name: 'json',
  serialize(value: unknown): Uint8Array {
    const text: string | undefined = JSON.stringify(value)
    if (text === undefined) throw new TypeError('JSON has no form for this value.')
    return Buffer.from(text)
  },
  deserialize(bytes: Uint8Array): unknown {
    return JSON.parse(viewOf(bytes).toString())
  },
})

/**
 * By the structured clone algorithm of V8: dates, maps, sets, bigints and cycles come back as they were,
 * classes as plain objects. For processes of one major version of Node: a newer one reads what an older
 * one wrote, not always the other way round.
 */
export const structuredSerializer: Serializer = Object.freeze({
  name: 'v8',
  serialize: (value: unknown): Uint8Array => serialize(value),
  deserialize: (bytes: Uint8Array): unknown => deserialize(viewOf(bytes)),
})

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
