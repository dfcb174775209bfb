import type { Cache } from './cache.ts'
import { optionalFunction, wrong } from './checks.ts'
import { describe } from './duration.ts'
import type { EntryOptions } from './entry-options.ts'
import { CacheError } from './errors.ts'

/** How a function's results are cached. It needs a `key`, or a `name` that no other function has. */
export interface WrapOptions<Args extends unknown[]> extends EntryOptions {
  /** What its keys begin with, and a colon. */
  readonly name?: string | undefined
  /**
   * What tells its results apart. Default, with a `name`: the arguments themselves, which then have to be
   * texts, numbers, booleans or `null`.
   */
  readonly key?: ((...args: Args) => string) | undefined
}

/** A function whose results are cached. */
export interface Wrapped<Args extends unknown[], R> {
  (...args: Args): Promise<Awaited<R>>
  /** The key of a call's result, to peek at it or to invalidate it. */
  keyOf(...args: Args): string
}

/** Decorates a method that returns a promise. */
export type CachedMethod<Args extends unknown[]> = <This, Rest extends Args, R>(
  method: (this: This, ...args: Rest) => Promise<R>,
  context: ClassMethodDecoratorContext<This, (this: This, ...args: Rest) => Promise<R>>,
) => (this: This, ...args: Rest) => Promise<R>

/** Builds the keys of a wrapped function's results. */
export function keyMaker<Args extends unknown[]>(
  options: WrapOptions<Args>,
): (...args: Args) => string {
  const { name, key } = Object(options) as WrapOptions<Args>
  optionalFunction('key', key)
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw wrong('name', name, 'a text that isn’t empty')
  }
  if (key === undefined) {
    if (name !== undefined) return (...args) => `${name}:${simpleKey(name, args)}`
    throw new CacheError(
      'invalid_option',
      'A wrapped function needs `key`, or a `name` of its own, so that no two share their results.',
    )
  }
  return name === undefined ? key : (...args) => `${name}:${key(...args)}`
}

/** Different arguments never have the same text: JSON says where each begins and ends. */
function simpleKey(name: string, args: readonly unknown[]): string {
  for (const arg of args) {
    if (typeof arg === 'string' || typeof arg === 'boolean' || arg === null) continue
    if (typeof arg === 'number' && Number.isFinite(arg)) continue
    throw new CacheError(
      'invalid_key',
      `An argument of "${name}" is ${describe(arg)}, which can’t be told apart safely: wrap it with \`key\`.`,
    )
  }
  return JSON.stringify(args)
}

/** See {@link Cache.wrap}. `options` are the entry's alone. */
export function wrapFunction<Args extends unknown[], R>(
  cache: Cache,
  fn: (...args: Args) => R,
  keyOf: (...args: Args) => string,
  options: EntryOptions,
): Wrapped<Args, R> {
  if (typeof fn !== 'function') throw wrong('What is wrapped', fn, 'a function')
  return Object.assign(
    async (...args: Args): Promise<Awaited<R>> =>
      await cache.getOrSet(keyOf(...args), async () => await fn(...args), options),
    { keyOf },
  )
}

/** See {@link Cache.cached}. */
export function cachedMethod<Args extends unknown[]>(
  cache: Cache,
  keyOf: (...args: Args) => string,
  options: EntryOptions,
): CachedMethod<Args> {
  return (method) =>
    async function (...args) {
      return await cache.getOrSet(keyOf(...args), () => method.apply(this, args), options)
    }
}
