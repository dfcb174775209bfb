import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { freePort } from './free-port.ts'

/** A listener that can stop and come back on its port, and cuts off everyone when it goes. */
export interface Listener extends AsyncDisposable {
  readonly port: number
  /** Nobody listens: connections are refused, open ones reset. */
  readonly stop: () => Promise<void>
  /** Listens again on the same port. */
  readonly start: () => Promise<void>
}

/** Listens on 127.0.0.1 with `server`, on a port that stays its own through `stop` and `start`. */
export async function keepPort(server: Server): Promise<Listener> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
  })
  const listen = async (port: number) => {
    server.listen({ host: '127.0.0.1', port })
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('not a TCP listener')
    return address.port
  }
  const port = await listen(await freePort())
  const stop = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
    await closed
  }
  return {
    port,
    stop,
    start: async () => {
      if (!server.listening) await listen(port)
    },
    [Symbol.asyncDispose]: stop,
  }
}
