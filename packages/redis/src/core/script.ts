import { createHash } from 'node:crypto'

/** A Lua script and its name in Redis's script cache. */
export interface RedisScript {
  readonly source: string
  /** SHA-1 of the source, in hexadecimal: what `EVALSHA` takes. */
  readonly sha1: string
}

/** Makes a script that `evaluate` takes. Do it once, not per call. */
export function createScript(source: string): RedisScript {
  return Object.freeze({ source, sha1: createHash('sha1').update(source).digest('hex') })
}
