import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server of this machine on which its answers take their time. */
export interface LateAnswers extends AsyncDisposable {
  readonly port: number
  /** From now on, answers arrive this much later, in their order. */
  late(ms: number): void
}

/** Listens on 127.0.0.1 and passes everything on to `port` at once, and what comes back after a while. */
export async function lateAnswersOf(port: number): Promise<LateAnswers> {
  const sockets = new Set<Socket>()
  let delayMs = 0
  const follow = (socket: Socket, other: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
  }
  const server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port })
    follow(client, upstream)
    follow(upstream, client)
    client.pipe(upstream)
    // One after the other: what was sent before a shorter delay still arrives first.
    let before: Promise<unknown> = Promise.resolve()
    upstream.on('data', (bytes) => {
      const due = new Promise((resolve) => setTimeout(resolve, delayMs))
      before = Promise.all([before, due]).then(() => client.write(bytes))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    late: (ms) => {
      delayMs = ms
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
