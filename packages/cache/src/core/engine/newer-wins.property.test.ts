import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cache } from '../cache.ts'
import { createCache } from '../create-cache.ts'
import type { CacheDriver } from '../driver.ts'
import { memoryDriver } from '../memory-driver.ts'
import type { CacheOptions } from '../options.ts'

const KEYS = ['a', 'ab']
const TAGS = ['s', 't']

interface Caller {
  readonly key: string
  readonly fresh: boolean
  /** Given by the caller, or by the factory once it has run. */
  readonly tags: 'early' | 'late'
}

type Act =
  | { readonly do: 'ask'; readonly caller: Caller }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'settle'; readonly which: number; readonly well: boolean }
  | { readonly do: 'change'; readonly how: string; readonly key: string }
  | { readonly do: 'pass'; readonly ms: number }

/** What is done, and how many turns pass before the next is. */
interface Step {
  readonly act: Act
  readonly turns: number
}

const ask = fc.record({
  do: fc.constant('ask' as const),
  caller: fc.record({
    key: fc.constantFrom(...KEYS),
    fresh: fc.nat(7).map((n) => n === 0),
    tags: fc.constantFrom('early' as const, 'late' as const),
  }),
})
const leave = fc.record({ do: fc.constant('leave' as const), which: fc.nat(9) })
const settle = fc.record({
  do: fc.constant('settle' as const),
  which: fc.nat(9),
  well: fc.nat(5).map((n) => n > 0),
})
const change = fc.record({
  do: fc.constant('change' as const),
  how: fc.constantFrom('set', 'delete', 'tag', 'prefix', 'pattern', 'clear'),
  key: fc.constantFrom(...KEYS),
})
const pass = fc.record({ do: fc.constant('pass' as const), ms: fc.nat(120) })

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    act: fc.oneof(
      { arbitrary: ask, weight: 6 },
      { arbitrary: settle, weight: 4 },
      { arbitrary: change, weight: 3 },
      { arbitrary: pass, weight: 1 },
      { arbitrary: leave, weight: 1 },
    ),
    turns: fc.oneof(fc.nat(2), fc.nat(30)),
  }),
  { maxLength: 60, size: 'max' },
)

/** A tier that takes a few turns for everything, now more, now less. */
function slow(driver: CacheDriver, turns: () => number): CacheDriver {
  return new Proxy(driver, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function' || name === 'keys') return member
      return async (...args: unknown[]) => {
        await elapse(turns())
        const result: unknown = await member.apply(target, args)
        await elapse(turns())
        return result
      }
    },
  })
}

async function elapse(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve()
}

/** A source whose versions grow, a cache in front of it, and what each caller may see at the least. */
class World {
  readonly cache: Cache
  now = 0
  #version = 0
  readonly #current = new Map<string, number>(KEYS.map((key) => [key, 0]))
  readonly #floor = new Map<string, number>(KEYS.map((key) => [key, 0]))
  readonly #running: { settle(well: boolean): void }[] = []
  readonly #callers: AbortController[] = []
  readonly #calls: Promise<unknown>[] = []
  #changing: Promise<void> = Promise.resolve()
  #busy = false

  constructor(options: CacheOptions) {
    this.cache = createCache({ ...options, now: () => this.now })
  }

  async step({ act, turns }: Step): Promise<void> {
    if (act.do === 'ask') this.#ask(act.caller)
    else if (act.do === 'leave') this.#callers.at(-1 - act.which)?.abort()
    else if (act.do === 'pass') this.now += act.ms
    else if (act.do === 'settle') {
      this.#running.splice(act.which % this.#running.length, 1)[0]?.settle(act.well)
    } else if (!this.#busy) this.#changing = this.#change(act.how, act.key)
    await elapse(turns)
  }

  async end(): Promise<void> {
    await this.#changing
    for (let i = 0; i < 50; i++) {
      for (const { settle } of this.#running.splice(0)) settle(true)
      await elapse(20)
    }
    await Promise.all(this.#calls)
  }

  #ask({ key, fresh, tags }: Caller): void {
    const least = this.#floor.get(key) ?? 0
    const caller = new AbortController()
    this.#callers.push(caller)
    const call = this.cache.getOrSet(
      key,
      ({ tag }) => {
        const version = this.#current.get(key) ?? 0
        const { promise, resolve, reject } = Promise.withResolvers<number>()
        this.#running.push({
          settle: (well) => (well ? resolve(version) : reject(new Error('the source failed'))),
        })
        if (tags === 'late') tag(...TAGS)
        return promise
      },
      { fresh, signal: caller.signal, ...(tags === 'early' && { tags: TAGS }) },
    )
    this.#calls.push(
      call.then(
        (version) => expect(version).toBeGreaterThanOrEqual(least),
        (error: Error) => expect(error.message).toMatch(/the source failed|aborted/),
      ),
    )
  }

  /** One at a time: of two at once nobody could say which was the last. */
  async #change(how: string, key: string): Promise<void> {
    this.#busy = true
    const version = ++this.#version
    const changed =
      how === 'tag' || how === 'clear' ? KEYS : KEYS.filter((k) => affects(how, key, k))
    for (const each of changed) this.#current.set(each, version)
    await this.#tell(how, key, version)
    for (const each of changed) this.#floor.set(each, version)
    this.#busy = false
  }

  async #tell(how: string, key: string, version: number): Promise<unknown> {
    const { cache } = this
    if (how === 'set') return cache.set(key, version, { tags: TAGS })
    if (how === 'delete') return cache.delete(key)
    if (how === 'tag') return cache.invalidate({ tag: 's' })
    if (how === 'prefix') return cache.invalidate({ prefix: key })
    if (how === 'pattern') return cache.invalidate({ pattern: `${key}*` })
    return cache.clear()
  }
}

function affects(how: string, key: string, other: string): boolean {
  return how === 'prefix' || how === 'pattern' ? other.startsWith(key) : other === key
}

const TERMS: CacheOptions = { ttl: 100, stale: 100, jitter: 0, eager: 0.5, retryAfterError: 0 }

describe('no call is given what was overtaken before it began', () => {
  const run = async (all: readonly Step[], options: CacheOptions) => {
    const world = new World(options)
    for (const step of all) await world.step(step)
    await world.end()
    await world.cache.close()
  }

  it.each<[string, CacheOptions]>([
    ['memory alone', TERMS],
    ['memory too small', { ...TERMS, l1: { entries: 1 } }],
    ['no memory', { ...TERMS, l1: false }],
    ['waiting for fresh ones', { ...TERMS, softTimeout: '1m' }],
  ])('with %s', async (_name, options) => {
    await fc.assert(
      fc.asyncProperty(steps, (all) => run(all, options)),
      { numRuns: 200 },
    )
  })

  it.each<[string, CacheOptions]>([
    ['a second tier', TERMS],
    ['a second tier alone', { ...TERMS, l1: false }],
  ])('with %s', async (_name, options) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.nat(25), { minLength: 1 }), async (all, delays) => {
        let call = 0
        const turns = () => delays[call++ % delays.length] ?? 0
        await run(all, { ...options, l2: slow(memoryDriver(), turns) })
      }),
      { numRuns: 100 },
    )
  })
})
