import { Cluster, type Redis } from 'ioredis'
import type { Client } from './client-options.ts'

/**
 * Settles once every master of a Cluster is connected, or has failed to be. ioredis connects to a node
 * with the first command for it, and rejects all further ones until it is connected.
 */
export async function connectMasters(client: Client): Promise<void> {
  if (!(client instanceof Cluster)) return
  await Promise.allSettled(client.nodes('master').map(connected))
}

async function connected(node: Redis): Promise<void> {
  if (node.status === 'ready') return
  if (node.status === 'wait') return await node.connect()
  await new Promise<void>((resolve) => {
    node.once('ready', resolve)
    node.once('end', resolve)
  })
}
