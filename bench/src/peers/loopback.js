import { Server } from 'node:net'

// For a peer that can't be told where to listen: no benchmark opens a port to the network.
const { listen } = Server.prototype
Object.assign(Server.prototype, {
  /** @type {(this: Server, port: number, host: string | undefined, listening: () => void) => Server} */
  listen(port, host, listening) {
    return Reflect.apply(listen, this, [port, host ?? '127.0.0.1', listening])
  },
})
