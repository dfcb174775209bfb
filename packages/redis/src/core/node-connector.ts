import { createConnection, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { AbstractConnector, type RedisOptions } from 'ioredis'

interface Node {
  readonly host: string
  readonly port: number
}

/**
 * Connects to one node of a Cluster, and after a failure to the next: every node delivers every
 * message that is published on the Cluster, so any one will do.
 */
export function nodeConnector(
  nodes: readonly Node[],
  tls: ConnectionOptions | undefined,
): NonNullable<RedisOptions['Connector']> {
  let turn = 0
  return class NodeConnector extends AbstractConnector {
    constructor(options: unknown) {
      super((options as { readonly disconnectTimeout: number }).disconnectTimeout)
    }

    override async connect(): Promise<Socket> {
      this.connecting = true
      const { host, port } = nodes[turn++ % nodes.length] ?? { host: 'localhost', port: 6379 }
      const stream = tls ? connectTls({ ...tls, host, port }) : createConnection({ host, port })
      stream.once('error', (error) => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }
  }
}
