import type { Cluster, Redis } from 'ioredis'
import type { RedisClient } from './redis-client.ts'

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
