import { randomUUID } from 'node:crypto'
import type { CacheDriver, Match, Stored, Write } from '../core/driver.ts'
import { matcher } from '../core/match.ts'
import { GatheredReads } from './gathered-reads.ts'
import { KeyNames } from './key-names.ts'
import { checkMethods, type RedisClient } from './redis-client.ts'
import {
  invalidateScript,
  knowScript,
  nowScript,
  removeScript,
  unlockScript,
  writeScript,
} from './scripts.ts'
import { entryForm, markForm, stampForm, storedOf } from './stored-form.ts'

/** How {@link redisDriver} is made. */
export interface RedisDriverOptions {
  /** `redis.commands` of `@tidegate/redis`, or a few lines around a client. */
  readonly redis: RedisClient
  /**
   * What all keys begin with, so that several applications can share one Redis; without braces, which
   * Redis Cluster would read. Default `tidegate:cache:1`.
   */
  readonly prefix?: string | undefined
}

/** Redis serves nobody else meanwhile: this many keys of one command are well below a millisecond. */
const MOST_KEYS = 100
const SCAN_COUNT = 500
/** A century: Redis takes no infinite time. */
const LONGEST_MS = 3_155_760_000_000

/**
 * The second tier in Redis, from 6.0 on, or Valkey: one server or a Cluster. Every entry is one text,
 * whose stamp is compared where it lives; the order of invalidations goes by the clock of Redis. What the
 * client rejects with passes as it is, so it is the client's time limit that holds.
 *
 * Redis refuses a script before its first write, when it is out of memory or a replica: nothing is
 * written by half. Where there's no room for a mark or an epoch, the entries, or all that is known of the
 * tag, go all the same, and the call rejects.
 *
 * With an eviction policy Redis may forget entries (misses), tags (what bears them isn't believed any
 * more), and the marks of removals: a value that was being computed meanwhile may then come back, until
 * its ttl is over. A Redis that loses writes it has confirmed, by failing over to a replica that lags or
 * by starting from an old dump, loses invalidations too.
 *
 * @throws CacheError `invalid_option` for a `redis` that lacks a method, or a prefix that can't be used.
 */
export function redisDriver({
  redis,
  prefix = 'tidegate:cache:1',
}: RedisDriverOptions): CacheDriver {
  checkMethods('redisDriver', 'redis', redis, ['call', 'callBuffer', 'evaluate', 'scan'])
  return new InRedis(redis, new KeyNames(prefix))
}

class InRedis implements CacheDriver {
  readonly #redis: RedisClient
  readonly #names: KeyNames
  readonly #gathered = new GatheredReads((names) => this.#readTogether(names))
  /** Whether keys may be read together: not on a Cluster, which says so. */
  #together = true

  constructor(redis: RedisClient, names: KeyNames) {
    this.#redis = redis
    this.#names = names
  }

  async read(keys: readonly string[]): Promise<readonly Stored[]> {
    const names = keys.map((key) => this.#names.entry(key))
    return await (this.#together ? this.#gathered.read(names) : this.#readApart(names))
  }

  async write(writes: readonly Write[]): Promise<readonly boolean[]> {
    return await Promise.all(writes.map((write) => this.#write(write)))
  }

  async remove(keys: readonly string[], markMs: number): Promise<number> {
    const names = keys.map((key) => this.#names.entry(key))
    const removals = names.map((name) => {
      const mark = markMs > 0 ? markForm(randomUUID()) : ''
      return this.#redis.evaluate(removeScript, [name], [mark, millis(markMs)])
    })
    try {
      return (await Promise.all(removals)).reduce<number>((sum, one) => sum + numberOf(one), 0)
    } catch (error) {
      if (says('OOM', error)) await this.#unlink(names)
      throw error
    }
  }

  async *keys(match: Match): AsyncIterable<readonly string[]> {
    const isMeant = matcher(match)
    const found = this.#redis.scan(this.#names.glob(match), { count: SCAN_COUNT })
    for await (const names of found) {
      yield names.map((name) => this.#names.keyOf(name)).filter(isMeant)
    }
  }

  async now(): Promise<number> {
    return numberOf(await this.#redis.evaluate(nowScript, [this.#names.clock], []))
  }

  async epochs(tags: readonly string[]): Promise<readonly (number | undefined)[]> {
    const names = tags.map((tag) => this.#names.tag(tag))
    const replies = chunksOf(names).map((some) => this.#redis.call('MGET', ...some))
    return (await Promise.all(replies)).flatMap((reply) => listOf(reply).map(epochOf))
  }

  async know(tags: readonly string[], ttlMs: number, seq: number): Promise<void> {
    const { clock } = this.#names
    const names = tags.map((tag) => this.#names.tag(tag))
    const calls = chunksOf(names).map((some) =>
      this.#redis.evaluate(knowScript, [clock, ...some], [millis(ttlMs), String(seq)]),
    )
    await Promise.all(calls)
  }

  async invalidate(tag: string, ttlMs: number): Promise<number> {
    const name = this.#names.tag(tag)
    try {
      const keys = [this.#names.clock, name]
      return numberOf(await this.#redis.evaluate(invalidateScript, keys, [millis(ttlMs)]))
    } catch (error) {
      if (says('OOM', error)) await this.#unlink([name])
      throw error
    }
  }

  async lock(key: string, token: string, ttlMs: number): Promise<boolean> {
    const name = this.#names.lease(key)
    return (await this.#redis.call('SET', name, token, 'NX', 'PX', millis(ttlMs))) !== null
  }

  async unlock(key: string, token: string): Promise<void> {
    await this.#redis.evaluate(unlockScript, [this.#names.lease(key)], [token])
  }

  async #readTogether(names: readonly string[]): Promise<readonly Stored[]> {
    if (names.length < 2) return await this.#readApart(names)
    try {
      const replies = chunksOf(names).map((some) => this.#redis.callBuffer('MGET', ...some))
      return (await Promise.all(replies)).flatMap((reply) => listOf(reply).map(storedOf))
    } catch (error) {
      if (!says('CROSSSLOT', error)) throw error
      this.#together = false
      return await this.#readApart(names)
    }
  }

  async #readApart(names: readonly string[]): Promise<readonly Stored[]> {
    return await Promise.all(names.map((name) => this.#readOne(name)))
  }

  async #readOne(name: string): Promise<Stored> {
    try {
      return storedOf(await this.#redis.callBuffer('GET', name))
    } catch (error) {
      if (!says('WRONGTYPE', error)) throw error
      // Somebody else's; MGET takes it for nothing as well.
      return storedOf(null)
    }
  }

  async #write({ key, bytes, stamp, ttlMs, ifStamp }: Write): Promise<boolean> {
    const name = this.#names.entry(key)
    const form = entryForm(stamp, bytes)
    if (ifStamp === undefined) {
      await this.#redis.call('SET', name, form, 'PX', millis(ttlMs))
      return true
    }
    const args = [form, millis(ttlMs), stampForm(ifStamp.stamp)]
    return numberOf(await this.#redis.evaluate(writeScript, [name], args)) === 1
  }

  async #unlink(names: readonly string[]): Promise<void> {
    await Promise.allSettled(names.map((name) => this.#redis.call('UNLINK', name)))
  }
}

function chunksOf(names: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / MOST_KEYS)
  return Array.from({ length: count }, (_, at) => names.slice(at * MOST_KEYS, (at + 1) * MOST_KEYS))
}

/** A time as Redis takes it; rounded up, so that nothing lasts 0 milliseconds. */
function millis(ms: number): string {
  return String(Math.min(LONGEST_MS, Math.max(1, Math.ceil(ms))))
}

/** As Redis words it, whatever a client says around it. */
function says(word: string, error: unknown): boolean {
  return new RegExp(`\\b${word}\\b`).test(String(error))
}

function listOf(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply
  throw misread()
}

function numberOf(reply: unknown): number {
  if (Number.isSafeInteger(reply)) return Number(reply)
  throw misread()
}

function epochOf(reply: unknown): number | undefined {
  return typeof reply === 'string' && /^\d{1,16}$/.test(reply) ? Number(reply) : undefined
}

function misread(): TypeError {
  return new TypeError(
    "redisDriver: Redis's reply has another form. The client has to return it as it came, numbers as numbers.",
  )
}
