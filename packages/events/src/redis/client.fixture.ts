import { Cluster, Redis } from 'ioredis'
import type { EventsRedis, EventsSubscriber } from './port.ts'

/** Fails at once while the server is away, and sends nothing twice. */
const CAUTIOUS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 1_000,
  retryStrategy: () => 50,
}

/** The few lines around another client. */
function redisOver(client: Redis | Cluster): EventsRedis {
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

function subscriberOver(client: Redis | Cluster): EventsSubscriber {
  const listeners = new Map<string, Set<(message: string, channel: string) => void>>()
  client.on('message', (channel: string, message: string) => {
    for (const listener of listeners.get(channel) ?? []) listener(message, channel)
  })
  return {
    get state() {
      return client.status
    },
    async subscribe(channel, listener) {
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(listener))
      await client.subscribe(channel)
      return async () => {
        listeners.get(channel)?.delete(listener)
      }
    },
  }
}

export interface Connected extends AsyncDisposable {
  readonly redis: EventsRedis
  readonly subscriber: EventsSubscriber
  readonly client: Redis | Cluster
}

type Place = string | readonly { readonly host: string; readonly port: number }[]

/** Connects to a server, or to a Cluster, with a connection for commands and one that listens. */
export async function connect(place: Place): Promise<Connected> {
  const make = () =>
    typeof place === 'string' ? new Redis(place, CAUTIOUS) : new Cluster([...place])
  const [client, listening] = [make(), make()]
  const clients = [client, listening]
  for (const each of clients) each.on('error', () => undefined)
  await Promise.all(clients.map((each) => ready(each)))
  return {
    redis: redisOver(client),
    subscriber: subscriberOver(listening),
    client,
    async [Symbol.asyncDispose]() {
      for (const each of clients) each.disconnect()
    },
  }
}

async function ready(client: Redis | Cluster): Promise<void> {
  if (client.status === 'ready') return
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('ready', () => resolve())
  await promise
}
