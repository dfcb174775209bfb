import { type ClientRateLimitInfo, MemoryStore, RedisStore } from 'hono-rate-limiter'
import { Redis } from 'ioredis'
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
} from 'rate-limiter-flexible'
import type { Rule } from '../../../packages/rate-limit/src/index.ts'
import { built } from '../harness/built.ts'
import type { Quota } from './workload.ts'

/** A limiter as its users call it; a rejection that is no error is a denial too. */
export interface Contender<Answer = unknown> {
  ask(key: string): Answer | Promise<Answer>
  admits(answer: Answer): boolean
}

export interface Setting {
  readonly quota: Quota
  readonly redisUrl: string
}

type Make = (setting: Setting) => Contender | Promise<Contender>

/** Each is made in a process of its own, so that nobody's calls make another's slower to compile. */
export const contenders = {
  nobody: () =>
    contender(
      () => true,
      (answer) => answer,
    ),
  'rate-limiter-flexible': ({ quota }) => flexible(new RateLimiterMemory(flexibly(quota))),
  tidegate: async ({ quota }) => {
    const { createRateLimiter, tokenBucket } = await built('rate-limit')
    const limiter = createRateLimiter({ policies: { api: tokenBucket(quota) } })
    return contender((key) => limiter.check('api', key), allowed)
  },
  'tidegate, checkSync': async ({ quota }) => {
    const { tokenBucket } = await built('rate-limit')
    return await checkedSync(tokenBucket(quota))
  },
  'tidegate, fixed window, checkSync': async ({ quota }) => {
    const { fixedWindow } = await built('rate-limit')
    return await checkedSync(fixedWindow(quota))
  },
  "hono-rate-limiter's store": ({ quota }) => {
    const store = new MemoryStore()
    // Of its options a store reads only this one.
    store.init({ windowMs: quota.windowMs } as Parameters<typeof store.init>[0])
    return contender(
      (key) => store.increment(key),
      ({ totalHits }) => totalHits <= quota.limit,
    )
  },
  'rate-limiter-flexible, Redis': ({ quota, redisUrl }) =>
    flexible(new RateLimiterRedis({ ...flexibly(quota), storeClient: new Redis(redisUrl) })),
  'the same, auto-pipelined': ({ quota, redisUrl }) => {
    const storeClient = new Redis(redisUrl, { enableAutoPipelining: true })
    return flexible(new RateLimiterRedis({ ...flexibly(quota), storeClient }))
  },
  'the same, blocked in memory': ({ quota, redisUrl }) => {
    const inMemoryBlockOnConsumed = quota.limit
    const storeClient = new Redis(redisUrl)
    return flexible(
      new RateLimiterRedis({ ...flexibly(quota), storeClient, inMemoryBlockOnConsumed }),
    )
  },
  "hono-rate-limiter's store, Redis": ({ quota, redisUrl }) => {
    const store = redisStoreOfHono(new Redis(redisUrl))
    store.init({ windowMs: quota.windowMs } as Parameters<typeof store.init>[0])
    return contender(
      (key) => store.increment(key) as Promise<ClientRateLimitInfo>,
      ({ totalHits }) => totalHits <= quota.limit,
    )
  },
  'tidegate, Redis, exact': (setting) => tidegateRedis(setting, 'exact', true),
  'tidegate, Redis, exact, as on a Cluster': (setting) => tidegateRedis(setting, 'exact', false),
  'tidegate, Redis, leased': (setting) => tidegateRedis(setting, 'leased', true),
} satisfies Record<string, Make>

export type ContenderName = keyof typeof contenders

/** Makes the contender that a process was started as. */
export async function createContender(name: string, setting: Setting): Promise<Contender> {
  const entry = Object.entries<Make>(contenders).find(([known]) => known === name)
  if (entry === undefined) throw new Error(`There is no contender "${name}".`)
  return await entry[1](setting)
}

async function checkedSync(rule: Rule): Promise<Contender> {
  const { createRateLimiter } = await built('rate-limit')
  const limiter = createRateLimiter({ policies: { api: rule } })
  return contender(
    (key) => limiter.checkSync('api', key),
    (decision) => decision?.allowed === true,
  )
}

async function tidegateRedis(
  { quota, redisUrl }: Setting,
  precision: 'exact' | 'leased',
  multiSlot: boolean,
): Promise<Contender> {
  const { createRateLimiter, tokenBucket } = await built('rate-limit')
  const { redisStore } = await built('rate-limit/redis')
  const { connectRedis } = await built('redis')
  const redis = connectRedis({ url: redisUrl })
  await redis.ready()
  const prefix = `bench:${precision}:${multiSlot}`
  const store = redisStore({ redis: redis.commands, prefix, multiSlot })
  const policies = { api: tokenBucket({ ...quota, precision }) }
  const limiter = createRateLimiter({ policies, store })
  return contender((key) => limiter.check('api', key), allowed)
}

function flexibly({ limit, windowMs }: Quota): { points: number; duration: number } {
  return { points: limit, duration: windowMs / 1000 }
}

/** It rejects with a result for a denial, with an error for a fault. */
function flexible(limiter: RateLimiterAbstract): Contender {
  return contender(
    (key) => limiter.consume(key),
    () => true,
  )
}

const allowed = (decision: { readonly allowed: boolean }) => decision.allowed

function contender<Answer>(
  ask: Contender<Answer>['ask'],
  admits: (answer: Answer) => boolean,
): Contender {
  return { ask, admits }
}

/** It knows Upstash's client; these are the calls that it makes of it, by ioredis. */
function redisStoreOfHono(redis: Redis): RedisStore {
  return new RedisStore({
    client: {
      scriptLoad: async (script) => String(await redis.script('LOAD', script)),
      evalsha: async <_Args extends unknown[], Data>(
        sha: string,
        keys: string[],
        args: unknown[],
      ) => (await redis.evalsha(sha, keys.length, ...keys, ...args.map(String))) as Data,
      decr: (key) => redis.decr(key),
      del: (key) => redis.del(key),
    },
  })
}
