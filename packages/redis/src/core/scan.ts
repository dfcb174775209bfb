import { Cluster, type Redis } from 'ioredis'
import type { Client } from './client-options.ts'
import type { Connection } from './connection.ts'
import { RedisInterruptedError, RedisReplyError } from './errors.ts'

/** What is walked, and in which steps. */
export interface Scan {
  readonly match: string
  readonly count: number
}

/** One server to walk, and how to know whether it is still the same. */
interface Walked {
  readonly where: string
  /** Which server answers; `undefined`: another one than at the beginning, or none. */
  server(): Redis | undefined
}

/** Walks the keys of every server that has some, or rejects. A key may come more than once. */
export async function* scan(
  connection: Connection,
  where: string,
  { match, count }: Scan,
): AsyncGenerator<readonly string[], void, undefined> {
  const client = await connection.run('scan', async (ready) => ready)
  const { made } = connection
  const unchanged = () => connection.made === made
  if (!(client instanceof Cluster)) {
    const server = () => (unchanged() ? client : undefined)
    return yield* scanServer(connection, { where, server }, { match, count })
  }
  const owners = await slotOwners(connection, client)
  if (owners.includes('')) {
    const message = 'SCAN was not begun: the Cluster does not serve all of its slots.'
    throw new RedisReplyError(message, 'CLUSTERDOWN')
  }
  const nodes = new Map(client.nodes('master').map((node) => [nameOf(node), node] as const))
  for (const name of new Set(owners)) {
    const node = nodes.get(name)
    const server = () => (unchanged() && node?.status !== 'end' ? node : undefined)
    const walked = { where: `${name} (a master of the Cluster)`, server }
    yield* scanServer(connection, walked, { match, count })
  }
  const ownersNow = await slotOwners(connection, client)
  if (owners.every((owner, slot) => owner === ownersNow[slot])) return
  throw new RedisInterruptedError(
    `SCAN has not seen all keys: slots of the Cluster ${where} moved meanwhile. Begin it anew.`,
  )
}

async function* scanServer(
  connection: Connection,
  { where, server }: Walked,
  { match, count }: Scan,
): AsyncGenerator<readonly string[], void, undefined> {
  let cursor = '0'
  do {
    const ask = async () => {
      const known = server()
      // A cursor means nothing to another server, which would leave keys out and not say so.
      if (known === undefined) throw elsewhere(where)
      return await known.scan(cursor, 'MATCH', match, 'COUNT', count)
    }
    const [next, keys] = await connection.run('scan', ask, where)
    cursor = next
    yield keys
  } while (cursor !== '0')
}

/** The master of each slot, as a node of the Cluster tells it now. */
async function slotOwners(connection: Connection, client: Cluster): Promise<readonly string[]> {
  const refreshed = (_: Client) =>
    new Promise<void>((resolve, reject) => {
      client.refreshSlotsCache((error) => (error ? reject(error) : resolve()))
    })
  await connection.run('scan', refreshed)
  return Array.from(client.slots, (names) => names?.[0] ?? '')
}

function nameOf({ options: { host = '', port = 0 } }: Redis): string {
  return `${host}:${port}`
}

function elsewhere(where: string): RedisInterruptedError {
  return new RedisInterruptedError(
    `SCAN has not seen all keys: the connection to Redis at ${where} was lost meanwhile. Begin it anew.`,
  )
}
