import { idAtPlace } from '../core/log-id.ts'
import type { EventsRedis } from './port.ts'

/** An entry of a Redis Stream. */
export interface StreamEntry {
  readonly id: string
  readonly fields: ReadonlyMap<string, Uint8Array>
}

/** Which entries of a stream are read: from a place on, and before another, at most so many. */
export interface StreamRange {
  readonly from: bigint
  readonly end?: bigint | undefined
  readonly limit: number
}

/** Reads entries of a stream, oldest first. */
export async function readStream(
  redis: EventsRedis,
  key: string,
  { from, end, limit }: StreamRange,
): Promise<readonly StreamEntry[]> {
  if (end !== undefined && from >= end) return []
  // An exclusive start is written "(id" only from Redis 6.2 on.
  const to = end === undefined ? '+' : idAtPlace(end - 1n)
  const reply = await redis.callBuffer('XRANGE', key, idAtPlace(from), to, 'COUNT', limit)
  return listOf(reply).map((entry) => {
    const [id, pairs] = listOf(entry)
    return { id: textOf(id), fields: fieldsOf(listOf(pairs)) }
  })
}

function fieldsOf(pairs: readonly unknown[]): ReadonlyMap<string, Uint8Array> {
  const fields = new Map<string, Uint8Array>()
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    fields.set(textOf(pairs[at]), bytesOf(pairs[at + 1]))
  }
  return fields
}

export function textOf(value: unknown): string {
  return Buffer.from(bytesOf(value)).toString()
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw misread()
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw misread()
}

function misread(): TypeError {
  return new TypeError(
    'A reply of Redis has another form. `callBuffer` has to return it as it came, texts as bytes.',
  )
}
