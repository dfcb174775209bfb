import KeyvRedis, { createKeyv as createRedisKeyv } from '@keyv/redis'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { createCache as createManager } from 'cache-manager'
import { Cacheable, createKeyv } from 'cacheable'
import { LRUCache } from 'lru-cache'
import { built } from '../harness/built.ts'
import type { Value } from './workload.ts'

/** A cache as its users call it; what it can't do is missing. */
export interface Contender {
  readonly set: (key: string, value: Value) => unknown
  /** Reads what is there. */
  readonly hit: (key: string) => unknown
  /** Reads, or has it made. */
  readonly obtain?: (key: string, make: () => Promise<Value>) => Promise<unknown>
  readonly many?: (keys: readonly string[]) => Promise<unknown>
}

export interface Setting {
  /** How many entries fit into memory. */
  readonly entries: number
  /** Empty: memory alone. */
  readonly redisUrl: string
}

type Make = (setting: Setting) => Contender | Promise<Contender>

const TTL = '1h'
const TTL_MS = 3_600_000

/** Each is made in a process of its own, so that nobody's calls make another's slower to compile. */
export const contenders = {
  Map: () => {
    const map = new Map<string, Value>()
    const hit = (key: string) => map.get(key)
    return { set: (key, value) => map.set(key, value), hit, many: async (keys) => keys.map(hit) }
  },
  'lru-cache': ({ entries }) => {
    const lru = new LRUCache<string, Value>({ max: entries })
    const hit = (key: string) => lru.get(key)
    return { set: (key, value) => lru.set(key, value), hit, many: async (keys) => keys.map(hit) }
  },
  'lru-cache, async': ({ entries }) => {
    const lru = new LRUCache<string, Value>({ max: entries })
    return { set: (key, value) => lru.set(key, value), hit: async (key) => lru.get(key) }
  },
  'tidegate, peek': (setting) => tidegate(setting, (cache) => (key) => cache.peek(key)),
  'tidegate, get': (setting) => tidegate(setting, (cache) => (key) => cache.get(key)),
  tidegate: (setting) => tidegate(setting),
  'tidegate, cluster': (setting) => tidegate(setting, undefined, 'cluster'),
  bentocache: (setting) => bento(setting, true),
  'bentocache, not serialised': (setting) => bento(setting, false),
  cacheable: (setting) => cacheable(setting, true),
  'cacheable, not cloned': (setting) => cacheable(setting, false),
  'cache-manager': (setting) => manager(setting),
} satisfies Record<string, Make>

export type ContenderName = keyof typeof contenders

/** Makes the contender that a process was started as. */
export async function createContender(name: string, setting: Setting): Promise<Contender> {
  const entry = Object.entries<Make>(contenders).find(([known]) => known === name)
  if (entry === undefined) throw new Error(`There is no contender "${name}".`)
  return await entry[1](setting)
}

type Doors = Awaited<ReturnType<typeof openTidegate>>

async function openTidegate({ entries, redisUrl }: Setting, lock: 'process' | 'cluster') {
  const { createCache } = await built('cache')
  const terms = { l1: { entries }, ttl: TTL, lock } as const
  if (redisUrl === '') return createCache(terms)
  const { redisBus, redisDriver: driver } = await built('cache/redis')
  const { connectRedis } = await built('redis')
  const redis = connectRedis({ url: redisUrl })
  await redis.ready()
  const shared = { redis: redis.commands }
  const bus = redisBus({ ...shared, subscriber: redis.subscriber() })
  return createCache({ ...terms, name: `bench-${lock}`, l2: driver(shared), bus })
}

/** `getOrSet` with a factory, unless told to read otherwise. */
async function tidegate(
  setting: Setting,
  reading?: (cache: Doors) => (key: string) => unknown,
  lock: 'process' | 'cluster' = 'process',
): Promise<Contender> {
  const cache = await openTidegate(setting, lock)
  return {
    set: (key, value) => cache.set(key, value),
    hit: reading?.(cache) ?? ((key) => cache.getOrSet(key, absent)),
    obtain: (key, make) => cache.getOrSet(key, make),
    many: (keys) => cache.getMany(keys),
  }
}

/** It has no `getMany`. */
function bento({ entries, redisUrl }: Setting, serialize: boolean): Contender {
  const memory = bentostore().useL1Layer(memoryDriver({ maxItems: entries, serialize }))
  const connection = { connection: connectionOf(redisUrl) }
  const store =
    redisUrl === ''
      ? memory
      : memory.useL2Layer(redisDriver(connection)).useBus(redisBusDriver(connection))
  const prefix = `bento-${serialize}`
  const cache = new BentoCache({ default: 'bench', stores: { bench: store }, prefix, ttl: TTL })
  return {
    set: (key, value) => cache.set({ key, value }),
    hit: (key) => cache.getOrSet({ key, factory: absent }),
    obtain: (key, make) => cache.getOrSet({ key, factory: make }),
    many: (keys) => Promise.all(keys.map((key) => cache.get({ key }))),
  }
}

function cacheable({ entries, redisUrl }: Setting, useClone: boolean): Contender {
  const primary = createKeyv({ lruSize: entries, useClone })
  const namespace = `cacheable-${useClone}`
  const secondary = redisUrl === '' ? {} : { secondary: new KeyvRedis(redisUrl) }
  const cache = new Cacheable({ primary, ...secondary, namespace, ttl: TTL })
  return {
    set: (key, value) => cache.set(key, value),
    hit: (key) => cache.getOrSet(key, absent),
    obtain: (key, make) => cache.getOrSet(key, make),
    many: (keys) => cache.getMany([...keys]),
  }
}

function manager({ entries, redisUrl }: Setting): Contender {
  const memory = createKeyv({ lruSize: entries, useClone: false })
  const shared = redisUrl === '' ? [] : [createRedisKeyv(redisUrl, { namespace: 'manager' })]
  const cache = createManager({ stores: [memory, ...shared], ttl: TTL_MS })
  return {
    set: (key, value) => cache.set(key, value),
    hit: (key) => cache.wrap(key, absent),
    obtain: (key, make) => cache.wrap(key, make),
    many: (keys) => cache.mget([...keys]),
  }
}

/** What is measured as a hit has to be one. */
async function absent(): Promise<never> {
  throw new Error('It was not there.')
}

function connectionOf(redisUrl: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(redisUrl === '' ? 'redis://127.0.0.1' : redisUrl)
  return { host: hostname, port: Number(port) }
}
