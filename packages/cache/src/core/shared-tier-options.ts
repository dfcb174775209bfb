import { checkNames, count, timer, wrong } from './checks.ts'
import type { CacheDriver } from './driver.ts'
import type { Duration } from './duration.ts'
import type { Serializer } from './serializer.ts'

/** How the second tier is used. */
export interface SharedTierOptions {
  readonly driver: CacheDriver
  /** With a stale value in memory: how long the second tier is waited for. Default: `hardTimeout`. */
  readonly softTimeout?: Duration | undefined
  /** How long it is waited for at all. Then memory goes on alone for a while. Default `1s`. */
  readonly hardTimeout?: Duration | undefined
  /** What is larger, before it is compressed, stays in memory. Default 1 MiB. */
  readonly maxValueBytes?: number | undefined
  /** From how many bytes values are compressed. Default `false`: never. */
  readonly compress?: { readonly above: number } | false | undefined
  /** What turns values into bytes. Default: JSON. */
  readonly serializer?: Serializer | undefined
}

/** The options, checked. */
export interface SharedTierSettings {
  readonly driver: CacheDriver
  readonly softTimeoutMs: number | undefined
  readonly hardTimeoutMs: number
  readonly maxValueBytes: number
  readonly compressAbove: number | false
  readonly serializer: Serializer | undefined
}

const OWN = ['driver', 'softTimeout', 'hardTimeout', 'maxValueBytes', 'compress', 'serializer']

/** Checks how the second tier is to be used, if there is one. */
export function parseSharedTier(
  l2: CacheDriver | SharedTierOptions | undefined,
): SharedTierSettings | undefined {
  if (l2 === undefined) return undefined
  const options = isDriver(l2) ? { driver: l2 } : l2
  if (typeof options !== 'object' || options === null || !isDriver(options.driver)) {
    throw wrong('l2', l2, 'a driver such as redisDriver({ redis }), or an object with a `driver`')
  }
  const {
    driver,
    softTimeout,
    hardTimeout = 1_000,
    maxValueBytes = 2 ** 20,
    compress = false,
  } = options
  checkNames('l2', options, OWN)
  if (compress !== false) checkNames('l2.compress', compress, ['above'])
  checkSerializer(options.serializer)
  return {
    driver,
    softTimeoutMs: softTimeout === undefined ? undefined : timer('l2.softTimeout', softTimeout),
    hardTimeoutMs: timer('l2.hardTimeout', hardTimeout),
    maxValueBytes: count('l2.maxValueBytes', maxValueBytes, 1),
    compressAbove: compress === false ? false : count('l2.compress.above', compress.above, 0),
    serializer: options.serializer,
  }
}

function checkSerializer(serializer: Serializer | undefined): void {
  if (serializer === undefined) return
  const { name, serialize, deserialize } = Object(serializer) as Partial<Serializer>
  const named = typeof name === 'string' && /^[\x20-\x7e]{1,64}$/.test(name)
  if (named && typeof serialize === 'function' && typeof deserialize === 'function') return
  const wanted = 'one such as structuredSerializer: a name, serialize and deserialize'
  throw wrong('l2.serializer', serializer, wanted)
}

function isDriver(value: unknown): value is CacheDriver {
  return typeof value === 'object' && value !== null && 'read' in value && 'invalidate' in value
}
