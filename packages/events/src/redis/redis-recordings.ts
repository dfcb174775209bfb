import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { checkWhole, EventsError } from '../core/errors.ts'
import type { ClaimOptions } from '../core/recording.ts'
import type { RecordingStore, StoreClaim } from '../core/recording-store.ts'
import { Hints } from './hints.ts'
import type { Link } from './link.ts'
import { checkRedis, type EventsRedis, type EventsSubscriber } from './port.ts'
import { digestOf, nameKey, type RecordingKeys, recordingKeys } from './recording-keys.ts'
import { abandonScript, claimScript, followScript, forgetScript } from './recording-scripts.ts'
import { Replica } from './replica.ts'
import { RedisCopy } from './shared-copy.ts'

/** How {@link redisRecordings} is made. */
export interface RedisRecordingsOptions {
  readonly redis: EventsRedis
  /** Without it, what another process records is looked for every 100 ms. */
  readonly subscriber?: EventsSubscriber | undefined
  /** What all keys and channels begin with; without braces. Default `tidegate:recordings:1`. */
  readonly prefix?: string | undefined
  /** Milliseconds that a claim waits for Redis, before it is answered without. Default 500. */
  readonly claimTimeoutMs?: number | undefined
  /**
   * Milliseconds without a sign of its recorder after which a recording is lost, and of a follower after which
   * it has left. Each says three times in that time that it is there. From 500; default 10,000.
   */
  readonly leaseMs?: number | undefined
  /** Told of calls to Redis that failed, each. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * Recordings that processes share through Redis, from 6.0 on, or Valkey: one server or a Cluster. For
 * `createRecordings({ shared })`.
 *
 * @throws EventsError `invalid_option`.
 */
export function redisRecordings(options: RedisRecordingsOptions): RecordingStore {
  return new RedisRecordings(options)
}

/** How long claims go without Redis after it didn't answer one. */
const AWAY_MS = 1_000
/** After how long a claim that broke off is made again. */
const AGAIN_MS = 25
/** Of how many claims that may have been made it is remembered that nobody heeds them. */
const MOST_UNSURE = 1_000
const FLUSH_MS = 1_000
/** A recording may end between being found and being followed. */
const TRIES = 3

class RedisRecordings implements RecordingStore {
  readonly #prefix: string
  readonly #claimTimeoutMs: number
  readonly #link: Link
  readonly #hints: Hints
  readonly #copies = new Map<string, RedisCopy<unknown>>()
  readonly #replicas = new Map<string, Set<Replica<unknown>>>()
  /** Claims that broke off: Redis may have made them all the same, and others would wait for their recorder. */
  readonly #unsure: { readonly name: string; readonly id: string }[] = []
  #timer: NodeJS.Timeout | undefined
  #awayUntil = 0
  /** Whether one claim finds out if Redis is back. */
  #probing = false

  constructor(options: RedisRecordingsOptions) {
    const { redis, subscriber, prefix = 'tidegate:recordings:1' } = options
    checkRedis('redisRecordings', redis)
    if (prefix === '' || /[{}]/.test(prefix)) {
      const message = 'redisRecordings: the prefix must have a name without "{" and "}".'
      throw new EventsError('invalid_option', message)
    }
    this.#prefix = prefix
    this.#claimTimeoutMs = checkWhole('claimTimeoutMs', options.claimTimeoutMs ?? 500, 1)
    this.#link = {
      redis,
      me: randomUUID(),
      leaseMs: checkWhole('leaseMs', options.leaseMs ?? 10_000, 500),
      channels: `${prefix}:to:`,
      onError: options.onError ?? (() => undefined),
      evaluate: (script, keys, args) => redis.evaluate(script, keys, args),
    }
    const channel = `${this.#link.channels}${this.#link.me}`
    this.#hints = new Hints(subscriber, channel, (token) => this.#hear(token))
  }

  async claim<Head>(name: string, options: ClaimOptions, held: boolean): Promise<StoreClaim<Head>> {
    const isProbe = this.#awayUntil > 0
    if (this.#probing || performance.now() < this.#awayUntil) {
      throw new EventsError('unavailable', 'Redis did not answer a claim a moment ago.')
    }
    // Listens, so that others can tell this process of what comes of it.
    void this.#hints.pollMs
    this.#probing = isProbe
    const id = randomUUID()
    const ask = () => this.#ask<Head>(name, id, options, held)
    const asked = isProbe ? ask() : this.#insist(ask)
    try {
      const claim = await this.#inTime(asked)
      this.#awayUntil = 0
      for (const each of this.#unsure.splice(0)) this.#undo(each.name, each.id)
      if (claim !== undefined) return claim
    } catch (error) {
      this.#awayUntil = performance.now() + AWAY_MS
      asked.then((claim) => this.#release(name, claim), this.#link.onError)
      this.#unsure.push({ name, id })
      if (this.#unsure.length > MOST_UNSURE) this.#unsure.shift()
      throw error
    } finally {
      if (isProbe) this.#probing = false
    }
    throw new EventsError('unavailable', 'What has the name is over each time it is found.')
  }

  async forget(name: string): Promise<void> {
    await this.#link.evaluate(forgetScript, [nameKey(this.#prefix, name)], [])
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, FLUSH_MS)
    const copies = [...this.#copies.values()]
    await Promise.race([promise, Promise.all(copies.map((copy) => copy.flushed()))])
    clearTimeout(timer)
    clearInterval(this.#timer)
    for (const copy of copies) copy.stop()
    for (const replica of this.#allReplicas()) replica.stop()
    await this.#hints.close()
  }

  async #inTime<T>(asked: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const message = `Redis did not answer a claim within ${this.#claimTimeoutMs} ms.`
    const late = () => reject(new EventsError('unavailable', message))
    const timer = setTimeout(late, this.#claimTimeoutMs)
    try {
      return await Promise.race([asked, promise])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Makes a claim that breaks off again, as the same one: the connection may be back in time. */
  async #insist<T>(ask: () => Promise<T>): Promise<T> {
    const until = performance.now() + this.#claimTimeoutMs - AGAIN_MS
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (performance.now() > until) throw error
      }
      await pause(AGAIN_MS)
    }
  }

  async #ask<Head>(
    name: string,
    own: string,
    options: ClaimOptions,
    held: boolean,
  ): Promise<StoreClaim<Head> | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const claim = await this.#askOnce<Head>(name, own, options, held)
      if (claim !== undefined) return claim
    }
    return undefined
  }

  async #askOnce<Head>(
    name: string,
    own: string,
    { fingerprint, keepMs = 0, persist = false }: ClaimOptions,
    held: boolean,
  ): Promise<StoreClaim<Head> | undefined> {
    const { evaluate, leaseMs, me } = this.#link
    const keys = recordingKeys(this.#prefix, name, own)
    const print = fingerprint === undefined ? '' : digestOf(fingerprint)
    const hold = keepMs > 0 || persist ? 1 : 0
    const terms = [own, print, leaseMs, me, hold, held ? 1 : 0]
    const reply = await evaluate(claimScript, [keys.name, keys.recording], terms)
    const [role, id] = Array.isArray(reply) ? reply.map(String) : []
    if (role === 'mismatch' || role === 'too_large' || role === 'held') return { role }
    if (role === 'recorder') {
      return { role, id: own, copy: this.#copy<Head>(keys, own, keepMs, persist) }
    }
    if (role !== 'reader' || id === undefined) throw misread()
    return await this.#follow<Head>(recordingKeys(this.#prefix, name, id), id)
  }

  async #follow<Head>(keys: RecordingKeys, id: string): Promise<StoreClaim<Head> | undefined> {
    const { evaluate, leaseMs, me, channels } = this.#link
    const state = await evaluate(followScript, [keys.recording], [me, leaseMs, id, channels])
    if (state === 'gone') {
      // Should the name still stand for it, as when Redis has evicted the one without the other.
      await evaluate(abandonScript, [keys.name, keys.recording, keys.log], [id, 1])
      return undefined
    }
    const complete = state === 'complete'
    return {
      role: 'reader',
      id,
      feed: (target) => {
        const replicas = this.#replicas.get(id) ?? new Set()
        this.#replicas.set(id, replicas)
        const options = {
          link: this.#link,
          keys,
          token: id,
          complete,
          pollMs: () => this.#hints.pollMs,
          isOnly: () => replicas.size === 1,
          onOver: () => {
            replicas.delete(replica)
            if (replicas.size === 0) this.#replicas.delete(id)
          },
        }
        const replica: Replica<unknown> = new Replica<Head>(options, target)
        replicas.add(replica)
      },
    }
  }

  #copy<Head>(
    keys: RecordingKeys,
    token: string,
    keepMs: number,
    persist: boolean,
  ): RedisCopy<Head> {
    const onOver = () => this.#drop(token)
    const eager = !this.#hints.reliable
    const terms = { link: this.#link, keys, token, keepMs, persist, eager, onOver }
    const copy = new RedisCopy<Head>(terms)
    this.#copies.set(token, copy)
    const everyMs = this.#link.leaseMs * 0.3
    const beat = () => {
      for (const each of this.#copies.values()) each.beat(everyMs * 0.9)
    }
    this.#timer ??= setInterval(beat, everyMs).unref()
    return copy
  }

  #drop(token: string): void {
    this.#copies.delete(token)
    if (this.#copies.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Undoes a claim that nobody waited for. */
  #release(name: string, claim: StoreClaim<unknown> | undefined): void {
    if (claim?.role !== 'recorder') return
    this.#drop(claim.id)
    this.#undo(name, claim.id)
  }

  #undo(name: string, id: string): void {
    const { name: key, recording, log } = recordingKeys(this.#prefix, name, id)
    const { evaluate, onError } = this.#link
    evaluate(abandonScript, [key, recording, log], [id, 1]).catch(onError)
  }

  /** Something happened to a recording; without a token, to any. */
  #hear(token: string): void {
    const copies = token === '' ? this.#copies.values() : [this.#copies.get(token)]
    for (const copy of copies) copy?.heard()
    const replicas = token === '' ? this.#allReplicas() : this.#replicas.get(token)
    for (const replica of replicas ?? []) replica.wake()
  }

  #allReplicas(): readonly Replica<unknown>[] {
    return [...this.#replicas.values()].flatMap((each) => [...each])
  }
}

function misread(): TypeError {
  return new TypeError(
    "The script's reply has another form. `evaluate` has to return it as it came, texts as strings.",
  )
}
