import type { Cluster, Redis } from 'ioredis'
import type { RedisClient, RedisSubscriber } from './redis-client.ts'

/** What the driver needs of Redis, around a client. */
export function redisOf(client: Redis | Cluster): RedisClient {
  const servers = () => ('nodes' in client ? client.nodes('master') : [client])
  return {
    call: (name, ...args) => client.call(name, ...args),
    callBuffer: (name, ...args) => client.callBuffer(name, ...args),
    async evaluate({ source, sha1 }, keys, args) {
      try {
        return await client.call('evalsha', sha1, keys.length, ...keys, ...args)
      } catch (error) {
        if (!String(error).includes('NOSCRIPT')) throw error
        return await client.call('eval', source, keys.length, ...keys, ...args)
      }
    },
    async *scan(match, { count }) {
      for (const server of servers()) {
        let cursor = '0'
        do {
          const [next, keys] = await server.scan(cursor, 'MATCH', match, 'COUNT', count)
          cursor = next
          yield keys
        } while (cursor !== '0')
      }
    },
  }
}

/** What the bus needs of Redis to listen, around a client that is connected to be a subscriber. */
export function subscriberOf(client: Redis): RedisSubscriber {
  const channels = new Map<string, Set<(message: string) => void>>()
  const resets = new Set<(state: 'lost' | 'back') => void>()
  const tell = (state: 'lost' | 'back') => {
    for (const reset of [...resets]) reset(state)
  }
  let wasReady = client.status === 'ready'
  client.on('message', (channel: string, message: string) => {
    for (const listener of [...(channels.get(channel) ?? [])]) listener(message)
  })
  client.on('error', () => undefined)
  client.on('close', () => {
    if (wasReady) tell('lost')
    wasReady = false
  })
  client.on('ready', async () => {
    const again = [...channels.keys()]
    if (again.length > 0) await client.subscribe(...again).catch(() => undefined)
    wasReady = true
    tell('back')
  })
  return {
    async subscribe(channel, listener) {
      await client.subscribe(channel)
      const own = (message: string) => listener(message)
      const listeners = channels.get(channel) ?? new Set()
      channels.set(channel, listeners.add(own))
      return async () => void listeners.delete(own)
    },
    onReset(listener) {
      const own = (state: 'lost' | 'back') => listener(state)
      resets.add(own)
      return () => void resets.delete(own)
    },
  }
}

/** Options of a client that fails in time, queues nothing and sends nothing twice. */
export const frank = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 300,
  retryStrategy: () => 20,
} as const
