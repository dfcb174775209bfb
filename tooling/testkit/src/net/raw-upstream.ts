import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Journal } from '../process/waiting.ts'
import { type HttpMessage, parseRequests } from './http-message.ts'
import { RawConnection } from './raw-connection.ts'

const defaultReply = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok'

export interface RawUpstreamOptions {
  /** The exact bytes of each reply. Default: `200 OK` with the body `ok`. `null`: never a reply. */
  readonly reply?:
    | string
    | Uint8Array
    | null
    | ((request: HttpMessage, index: number) => string | Uint8Array)
  /** Reply when the request's head is there, or the whole message (default). */
  readonly replyAfter?: 'head' | 'message'
  /** What follows a reply. Default: the connection stays open. */
  readonly then?: 'keep-open' | 'close' | 'reset'
}

/** A bare TCP server that keeps every byte it received. */
export interface RawUpstream extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** One per accepted connection, in order. */
  readonly connections: readonly RawConnection[]
  /** All bytes received on all connections, in the order of the connections. */
  readonly received: Buffer
  /** The requests in these bytes. */
  readonly requests: readonly HttpMessage[]
  /** The connection at `index`, as soon as it was accepted. */
  readonly waitForConnection: (index?: number, timeoutMs?: number) => Promise<RawConnection>
}

async function serve(socket: Socket, connection: RawConnection, options: RawUpstreamOptions) {
  const { reply = defaultReply, replyAfter = 'message', then = 'keep-open' } = options
  if (reply === null) return
  for (let index = 0; ; index += 1) {
    const next = () => parseRequests(connection.received)[index]
    await connection.waitFor(() => {
      const request = next()
      return request !== undefined && (replyAfter === 'head' || request.complete)
    }, 2 ** 30)
    const request = next()
    if (request === undefined) return
    await connection.write(typeof reply === 'function' ? reply(request, index) : reply)
    if (then === 'reset') connection.reset()
    if (then === 'close') socket.end()
    if (then !== 'keep-open') return
  }
}

/** Starts a server that answers with exactly the given bytes, right or wrong. */
export async function rawUpstream(options: RawUpstreamOptions = {}): Promise<RawUpstream> {
  const connections = new Journal<RawConnection>('connection')
  // Half-open, so that a peer which ended its side still gets the reply.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new RawConnection(socket)
    connections.push(connection)
    // It rejects when the peer leaves, after which there is nothing to answer.
    void serve(socket, connection, options)
      .catch(() => undefined)
      .then(() => connection.ended)
      .then(() => socket.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return connections.items
    },
    get received() {
      return Buffer.concat(connections.items.map((connection) => connection.received))
    },
    get requests() {
      return connections.items.flatMap((connection) => parseRequests(connection.received))
    },
    waitForConnection: (index = 0, timeoutMs) => connections.waitForIndex(index, timeoutMs),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const connection of connections.items) await connection[Symbol.asyncDispose]()
      await closed
    },
  }
}
