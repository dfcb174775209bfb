import { Cluster, Redis } from 'ioredis'
import type { TelemetryRedis } from './port.ts'

/** Fails at once while the server is away, and sends nothing twice. */
const CAUTIOUS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => 50,
}

/** The few lines around another client. */
function redisOver(client: Redis | Cluster): TelemetryRedis {
  return {
    callBuffer: (name, ...args) => client.callBuffer(name, ...args),
    async evaluate({ source, sha1 }, keys, args) {
      const sent = args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg) : arg))
      try {
        return await client.call('evalsha', sha1, keys.length, ...keys, ...sent)
      } catch (error) {
        if (!String(error).includes('NOSCRIPT')) throw error
        return await client.call('eval', source, keys.length, ...keys, ...sent)
      }
    },
  }
}

export interface Connected extends AsyncDisposable {
  readonly redis: TelemetryRedis
  readonly client: Redis | Cluster
}

type Place = string | readonly { readonly host: string; readonly port: number }[]

/** Connects to a server, or to a Cluster. A command fails that takes longer than `commandTimeout`. */
export async function connect(place: Place, commandTimeout = 20_000): Promise<Connected> {
  const options = { ...CAUTIOUS, commandTimeout }
  const client = typeof place === 'string' ? new Redis(place, options) : new Cluster([...place])
  client.on('error', () => undefined)
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('ready', () => resolve())
  await promise
  return {
    redis: redisOver(client),
    client,
    async [Symbol.asyncDispose]() {
      client.disconnect()
    },
  }
}
