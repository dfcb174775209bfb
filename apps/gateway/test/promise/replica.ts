import { openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRateLimiter } from '@tidegate/rate-limit'
import { redisStore } from '@tidegate/rate-limit/redis'
import { connectRedis, type RedisOptions } from '@tidegate/redis'
import { limitNames, rules, writeEntry } from './limits.ts'

/** What a replica is started with, as its only argument. */
export interface ReplicaSettings {
  readonly redis: Pick<RedisOptions, 'url' | 'sentinel'>
  /** Where it writes down what it admitted. */
  readonly file: string
  readonly callers: number
  /** How wrong this machine's clock is, in milliseconds. */
  readonly skewMs: number
  /** The longest pause of a caller between two questions, in milliseconds. */
  readonly pauseMs: number
}

/** The clock that all processes of a machine share. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6

const settings: ReplicaSettings = JSON.parse(process.argv[2] ?? '{}')
const connections = connectRedis({
  ...settings.redis,
  commandTimeoutMs: 400,
  connectTimeoutMs: 400,
})
const store = redisStore({ redis: connections.commands })
const limiter = createRateLimiter({
  policies: rules,
  store,
  storeTimeoutMs: 400,
  now: () => Date.now() + settings.skewMs,
})
const file = openSync(settings.file, 'a')

async function call(): Promise<never> {
  for (;;) {
    const limit = limitNames[Math.floor(Math.random() * limitNames.length)] ?? 'exact'
    const cost = 1 + Math.floor(Math.random() * 3)
    const askedAt = now()
    const { allowed, source } = await limiter.check(limit, 'everybody', { cost })
    const answeredAt = now()
    const nodes = store.nodes ?? 1
    if (allowed) writeSync(file, writeEntry({ limit, source, nodes, askedAt, answeredAt, cost }))
    // Leased answers come at once: others have to get their turn.
    await sleep(Math.random() * settings.pauseMs)
  }
}

await Promise.all(Array.from({ length: settings.callers }, call))
