import type { Cache } from '../cache.ts'
import { createCache } from '../create-cache.ts'
import type { CacheBus, CacheDriver } from '../driver.ts'
import type { CacheEvent } from '../events.ts'
import { type MemoryDriver, memoryDriver } from '../memory-driver.ts'
import type { CacheOptions } from '../options.ts'

/** From 0 to below 1, the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** How a process's connection to the second tier is. */
export type Link = 'good' | 'refused' | 'silent' | 'answers lost'

type Listener = Parameters<CacheBus['subscribe']>[0]

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const never = () => new Promise<never>(() => {})

/** One process: a cache whose calls and messages take time, get lost, and are refused. */
export class Process {
  link: Link = 'good'
  /** Whether messages reach it; it hears of their loss only some time later. */
  hears = true
  readonly events: CacheEvent[] = []
  readonly cache: Cache
  readonly #world: World
  #listener: Listener | undefined

  constructor(world: World, options: CacheOptions, withBus: boolean) {
    this.#world = world
    this.cache = createCache({
      ttl: '1h',
      jitter: 0,
      ...options,
      l2: { driver: this.#driver(), hardTimeout: 100 },
      ...(withBus ? { bus: this.#bus() } : {}),
      random: world.random,
      onEvent: (event) => this.events.push(event),
    })
  }

  async deliver(message: string): Promise<void> {
    await sleep(this.#world.delay())
    if (this.hears) this.#listener?.onMessage(message)
  }

  /** Messages stop at once; that they do is noticed later. */
  async loseBus(noticedAfterMs: number, forMs: number): Promise<void> {
    if (!this.hears) return
    this.hears = false
    await sleep(noticedAfterMs)
    this.#listener?.onReset('lost')
    await sleep(forMs)
    this.hears = true
    this.#listener?.onReset('back')
  }

  /** The second tier is away for this process, and with it the bus. */
  async cut(link: Link, forMs: number): Promise<void> {
    if (this.link !== 'good') return
    this.link = link
    await Promise.all([this.loseBus(20, forMs), sleep(forMs)])
    this.link = 'good'
  }

  #driver(): CacheDriver {
    const { driver } = this.#world
    const call = <T>(does: () => Promise<T>) => this.#call(does)
    return {
      read: (keys) => call(() => driver.read(keys)),
      write: (writes) => call(() => driver.write(writes)),
      remove: (keys, markMs) => call(() => driver.remove(keys, markMs)),
      now: () => call(() => driver.now()),
      epochs: (tags) => call(() => driver.epochs(tags)),
      know: (tags, ttlMs, seq) => call(() => driver.know(tags, ttlMs, seq)),
      invalidate: (tag, ttlMs) => call(() => driver.invalidate(tag, ttlMs)),
      lock: (key, token, ttlMs) => call(() => driver.lock(key, token, ttlMs)),
      unlock: (key, token) => call(() => driver.unlock(key, token)),
      keys: (match) => this.#keys(driver, match),
    }
  }

  async *#keys(
    driver: CacheDriver,
    match: Parameters<CacheDriver['keys']>[0],
  ): AsyncIterable<readonly string[]> {
    for await (const keys of driver.keys(match)) yield await this.#call(async () => keys)
  }

  async #call<T>(does: () => Promise<T>): Promise<T> {
    const { link } = this
    if (link === 'refused') throw new Error('refused')
    await sleep(this.#world.delay())
    if (link === 'silent') return await never()
    const answer = await does()
    if (link === 'answers lost') return await never()
    await sleep(this.#world.delay())
    return answer
  }

  #bus(): CacheBus {
    return {
      publish: async (message) => {
        await this.#call(async () => {
          for (const process of this.#world.processes) void process.deliver(message)
        })
      },
      subscribe: async (listener) => {
        this.#listener = listener
        return async () => {
          this.#listener = undefined
        }
      },
    }
  }
}

/** Several processes over one second tier in memory. */
export class World {
  readonly driver: MemoryDriver = memoryDriver()
  readonly processes: Process[] = []
  readonly random: () => number
  readonly #mostDelayMs: number

  constructor(seed: number, mostDelayMs = 15) {
    this.random = seeded(seed)
    this.#mostDelayMs = mostDelayMs
  }

  start(options: CacheOptions = {}, withBus = true): Process {
    const process = new Process(this, options, withBus)
    this.processes.push(process)
    return process
  }

  delay(): number {
    return Math.round(this.random() * this.#mostDelayMs)
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.random() * choices.length)] ?? choices[0]
  }
}

export { sleep }
