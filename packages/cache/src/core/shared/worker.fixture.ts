import { EventEmitter, once } from 'node:events'
import { Cluster, Redis } from 'ioredis'
import { redisOf, subscriberOf } from '../../redis/redis.fixture.ts'
import { redisBus } from '../../redis/redis-bus.ts'
import { redisDriver } from '../../redis/redis-driver.ts'
import type { Cache, InvalidateTarget } from '../cache.ts'
import { createCache } from '../create-cache.ts'
import type { CacheEvent } from '../events.ts'
import type { Answer, Load, Order, Read, Told } from './fleet.fixture.ts'

// One process of a test: has a cache on a real Redis, does what it is told over IPC, and asks its parent,
// who is the database, for every value it makes.

const [ports = '', name = 'test'] = process.argv.slice(2)
const addresses = ports.split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) }))

/** Fails in time, queues nothing, sends nothing twice. */
const frank = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 1_000,
  retryStrategy: () => 50,
} as const

const [first] = addresses
if (first === undefined) throw new Error('worker: the ports are missing.')
const client =
  addresses.length > 1
    ? new Cluster(addresses, { enableOfflineQueue: false, redisOptions: frank })
    : new Redis({ ...frank, ...first })
const listening = new Redis({ ...frank, ...first, autoResubscribe: false })
for (const one of [client, listening]) one.on('error', () => undefined)
await Promise.all(
  [client, listening].map((one) => new Promise((ready) => one.once('ready', ready))),
)

const redis = redisOf(client)
const cache: Cache = createCache({
  name,
  ttl: '10m',
  jitter: 0,
  l2: { driver: redisDriver({ redis }), hardTimeout: 300 },
  bus: redisBus({ redis, subscriber: subscriberOf(listening) }),
  onEvent: (event) => note(event),
})

const waiting = new Map<number, (version: number) => void>()
let asked = 0

function tell(told: Told): void {
  process.send?.(told)
}

function note({ type }: CacheEvent): void {
  if (type === 'l2_away' || type === 'recovered')
    tell({ type: 'event', event: type, at: Date.now() })
}

/** The database takes its time; who is in the fleet decides how long. */
async function make(key: string): Promise<number> {
  asked += 1
  const id = asked
  return await new Promise<number>((resolve) => {
    waiting.set(id, resolve)
    tell({ type: 'make', id, key })
  })
}

async function get(key: string, options: Load['options']): Promise<number> {
  const { tags, ...rest } = options
  return await cache.getOrSet(
    key,
    async ({ tag }) => {
      tag(...(tags ?? []))
      return await make(key)
    },
    rest,
  )
}

let resting = false
const loading = new EventEmitter()

async function load({ keys, options }: Load): Promise<{ reads: Read[]; failed: string[] }> {
  const reads: Read[] = []
  const failed: string[] = []
  resting = false
  for (let at = 0; !resting; at += 1) {
    const key = keys[at % keys.length] ?? ''
    const begunAt = Date.now()
    await get(key, options).then(
      (version) => reads.push([key, version, begunAt]),
      (error: unknown) => failed.push(String(error)),
    )
    loading.emit('read')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return { reads, failed }
}

async function carryOut(order: Order): Promise<unknown> {
  if (order.do === 'get') return await get(order.key, order.options)
  if (order.do === 'gets') {
    const all = Array.from({ length: order.times }, () => get(order.key, order.options))
    return await Promise.all(all)
  }
  if (order.do === 'set') return await cache.setMany(order.items)
  if (order.do === 'load') return await load(order)
  if (order.do === 'rest') {
    resting = true
    return undefined
  }
  if (order.do === 'read') {
    for (let left = order.times; left > 0; left -= 1) await once(loading, 'read')
    return undefined
  }
  if (order.do === 'clear') return await cache.clear()
  if (order.do === 'stats') return cache.stats()
  return await cache.invalidate(order.target as InvalidateTarget)
}

process.on('message', (message: Answer | { readonly id: number; readonly order: Order }) => {
  if ('version' in message) {
    waiting.get(message.id)?.(message.version)
    waiting.delete(message.id)
    return
  }
  const { id, order } = message
  carryOut(order).then(
    (result) => tell({ type: 'done', id, result }),
    (error: unknown) => tell({ type: 'failed', id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
// It listens from here on: what it subscribes to comes before what it is told to do.
await cache.get('warm')
tell({ type: 'ready' })
