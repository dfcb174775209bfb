import { once } from 'node:events'
import { type RedisServer, startRedis } from '@tidegate/testkit'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CacheDriver, Stamp, Stored } from '../core/driver.ts'
import { memoryDriver } from '../core/memory-driver.ts'
import { redisOf } from './redis.fixture.ts'
import { redisDriver } from './redis-driver.ts'

const LONG = 600_000
const keys = ['a', 'b', '*'] as const
const tags = ['t', 'u'] as const

/** What is asked, without what differs from driver to driver: stamps and numbers are named by place. */
type Step =
  | { readonly kind: 'write'; readonly key: string; readonly ifSeen: number | undefined }
  | { readonly kind: 'see'; readonly key: string }
  | { readonly kind: 'lock'; readonly key: string; readonly holder: string }
  | { readonly kind: 'unlock'; readonly key: string; readonly holder: string }
  | { readonly kind: 'remove'; readonly keys: readonly string[]; readonly markMs: number }
  | { readonly kind: 'keys'; readonly pattern: string }
  | { readonly kind: 'now' }
  | { readonly kind: 'know'; readonly tags: readonly string[]; readonly at: number }
  | { readonly kind: 'invalidate'; readonly tag: string }

const key = fc.constantFrom(...keys)
const tag = fc.constantFrom(...tags)
const holder = fc.constantFrom('x', 'y')
const place = fc.nat(20)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write'),
      key,
      ifSeen: fc.option(place, { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('see'), key }) },
  fc.record({ kind: fc.constant('lock'), key, holder }),
  fc.record({ kind: fc.constant('unlock'), key, holder }),
  fc.record({
    kind: fc.constant('remove'),
    keys: fc.array(key, { maxLength: 3 }),
    markMs: fc.constantFrom(0, LONG),
  }),
  fc.record({ kind: fc.constant('keys'), pattern: fc.constantFrom('*', '?', '\\*', 'a', '[ab]') }),
  fc.constant<Step>({ kind: 'now' }),
  fc.record({ kind: fc.constant('know'), tags: fc.uniqueArray(tag), at: place }),
  fc.record({ kind: fc.constant('invalidate'), tag }),
)

/** Asks a driver one thing after the other and tells what it answered, by places again. */
class Play {
  readonly #driver: CacheDriver
  readonly #seen: Stamp[] = [undefined]
  readonly #numbers: number[] = []
  #writes = 0

  constructor(driver: CacheDriver) {
    this.#driver = driver
  }

  async take(step: Step): Promise<unknown> {
    const driver = this.#driver
    if (step.kind === 'write') return await driver.write([this.#write(step)])
    if (step.kind === 'see') return (await driver.read([step.key])).map((one) => this.#told(one))
    if (step.kind === 'lock') return await driver.lock(step.key, step.holder, LONG)
    if (step.kind === 'unlock') return await driver.unlock(step.key, step.holder)
    if (step.kind === 'remove') return await driver.remove(step.keys, step.markMs)
    if (step.kind === 'keys') return await this.#entries(step.pattern)
    if (step.kind === 'now') return this.#placed(await driver.now())
    if (step.kind === 'invalidate') return this.#placed(await driver.invalidate(step.tag, LONG))
    if (this.#numbers.length === 0) this.#placed(await driver.now())
    await driver.know(step.tags, LONG, this.#numbers[step.at % this.#numbers.length] ?? 0)
    return (await driver.epochs(tags)).map((epoch) => epoch && this.#numbers.indexOf(epoch))
  }

  #write({ key, ifSeen }: Extract<Step, { kind: 'write' }>) {
    this.#writes += 1
    const stamp = `stamp-${this.#writes}`
    const write = { key, bytes: Buffer.from(stamp), stamp, ttlMs: LONG }
    if (ifSeen === undefined) return write
    return { ...write, ifStamp: { stamp: this.#seen[ifSeen % this.#seen.length] } }
  }

  #told({ stamp, bytes }: Stored): unknown {
    if (!this.#seen.includes(stamp)) this.#seen.push(stamp)
    return [this.#seen.indexOf(stamp), bytes && Buffer.from(bytes).toString()]
  }

  #placed(seq: number): number {
    const isNext = this.#numbers.every((before) => before < seq)
    this.#numbers.push(seq)
    return isNext ? this.#numbers.length : -1
  }

  async #entries(pattern: string): Promise<readonly string[]> {
    const found = new Set<string>()
    for await (const batch of this.#driver.keys({ pattern })) {
      for (const key of batch) found.add(key)
    }
    return [...found].sort()
  }
}

describe('redisDriver', () => {
  let server: RedisServer
  let client: Redis

  beforeAll(async () => {
    server = await startRedis({ own: true })
    client = new Redis(server.url)
    await once(client, 'ready')
  })

  afterAll(async () => {
    client?.disconnect()
    await server?.[Symbol.asyncDispose]()
  })

  it('answers as memoryDriver does, whatever is asked one after the other', async () => {
    let runs = 0
    const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      runs += 1
      const redis = new Play(redisDriver({ redis: redisOf(client), prefix: `run-${runs}` }))
      const memory = new Play(memoryDriver())
      for (const one of steps) expect(await redis.take(one)).toEqual(await memory.take(one))
    })
    await fc.assert(property, { numRuns: 150 })
  }, 120_000)
})
