import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createDrain, type DrainOptions } from './drain.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const resource of open.splice(0)) resource.close()
})

const REQUEST = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

async function start(options: DrainOptions, listener?: RequestListener) {
  const waiting: ServerResponse[] = []
  const arrivals: (() => void)[] = []
  const hold = (_request: IncomingMessage, response: ServerResponse) => {
    waiting.push(response)
    for (const arrived of arrivals.splice(0)) arrived()
  }
  const server = createServer(listener ?? hold)
  const phases: string[] = []
  const drain = createDrain(server, { ...options, onPhase: (phase) => phases.push(phase) })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  const { port } = server.address() as AddressInfo
  const request = async () => {
    const client = await dial(port)
    const arrived = new Promise<void>((resolve) => arrivals.push(resolve))
    client.socket.write(REQUEST)
    await arrived
    return client
  }
  return { server, drain, phases, port, waiting, request }
}

interface Client {
  readonly socket: Socket
  readonly closed: Promise<string>
  received: string
}

async function dial(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  open.push({ close: () => socket.destroy() })
  const client: Client = {
    socket,
    received: '',
    closed: new Promise((resolve) => socket.once('close', () => resolve(client.received))),
  }
  socket.on('data', (chunk) => {
    client.received += chunk.toString()
  })
  await new Promise((resolve) => socket.once('connect', resolve))
  return client
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

describe('createDrain', () => {
  it('turns unready, then stops accepting, then lets open requests finish', async () => {
    const { drain, phases, port, waiting, request, server } = await start({ delayMs: 500 })
    expect(drain.ready).toBe(true)
    const early = await request()
    const ended = drain.start()
    expect(drain).toMatchObject({ ready: false, phase: 'unready' })
    expect(server.listening).toBe(true)
    const late = await request()
    await until(() => drain.phase === 'finishing')
    expect(server.listening).toBe(false)
    const refused = connect(port, '127.0.0.1')
    await new Promise((resolve) => refused.once('error', resolve))
    for (const response of waiting) response.end('done')
    expect(await early.closed).toContain('done')
    expect(await late.closed).toMatch(/connection: close[\s\S]*done/i)
    expect(await ended).toEqual({ destroyed: 0, aborted: false })
    expect(phases).toEqual(['unready', 'finishing', 'drained'])
  })

  it('ends at once when nothing is open, and closes what is idle or was never used', async () => {
    const { drain, port } = await start({}, (_request, response) => response.end('done'))
    const idle = await dial(port)
    idle.socket.write(REQUEST)
    await until(() => idle.received.endsWith('done'))
    const unused = await dial(port)
    expect(await drain.start()).toEqual({ destroyed: 0, aborted: false })
    await Promise.all([idle.closed, unused.closed])
  })

  it('cuts off what has not finished in time and says how many', async () => {
    const { drain, request } = await start({ timeoutMs: 30 })
    const clients = [await request(), await request()]
    expect(await drain.start()).toEqual({ destroyed: 2, aborted: false })
    await Promise.all(clients.map((client) => client.closed))
  })

  it('waits for upgraded connections', async () => {
    const { drain, port, server } = await start({})
    const upgraded: Socket[] = []
    server.on('upgrade', (_request, socket: Socket) => {
      drain.track(socket)
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
      upgraded.push(socket)
    })
    const client = await dial(port)
    client.socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    await until(() => client.received.includes('101'))
    const ended = drain.start()
    await until(() => drain.phase === 'finishing')
    upgraded[0]?.write('still here')
    await until(() => client.received.endsWith('still here'))
    upgraded[0]?.end()
    client.socket.end()
    expect(await ended).toEqual({ destroyed: 0, aborted: false })
  })

  it('ends at once on a second signal', async () => {
    const { drain, request } = await start({ delayMs: 60_000 })
    const client = await request()
    const ended = drain.start()
    expect(await drain.abort()).toEqual({ destroyed: 1, aborted: true })
    expect(await ended).toEqual({ destroyed: 1, aborted: true })
    expect(await drain.start()).toEqual({ destroyed: 1, aborted: true })
    await client.closed
  })

  it('can be aborted without having been started, and is drained once only', async () => {
    const { drain, phases, server } = await start({})
    expect(await drain.abort()).toEqual({ destroyed: 0, aborted: true })
    expect(await drain.abort()).toEqual({ destroyed: 0, aborted: true })
    expect(server.listening).toBe(false)
    expect(phases).toEqual(['drained'])
  })
})
