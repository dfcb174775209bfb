import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the ports the kernel gives to outgoing connections: none of those can take the port between
// the moment it is found free and the moment its server binds it.
const lowest = 10_240
const highest = 32_000
const attempts = 50

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true })
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  }
}

/** A TCP port of 127.0.0.1 that nobody listens on: for servers which cannot choose one themselves. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(lowest, highest)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port found on 127.0.0.1 in ${attempts} tries`)
}
