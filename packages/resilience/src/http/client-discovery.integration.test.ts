import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { makeCertificates, pollUntil } from '@tidegate/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttpClient } from './client.ts'
import type { DiscoveredEndpoint } from './discovery.ts'

interface Place extends DiscoveredEndpoint {
  readonly server: Server
  readonly asked: () => number
  readonly connected: () => number
}

const places: Place[] = []

afterEach(() => {
  for (const { server } of places.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server that names itself, after a delay. */
async function startPlace(name: string, delayMs = 0): Promise<Place> {
  let asked = 0
  let connected = 0
  const server = createServer(async (request, response) => {
    asked += 1
    if (delayMs > 0) await sleep(delayMs)
    response.setHeader('x-host', request.headers.host ?? '')
    response.end(name)
  })
  server.on('connection', (socket) => {
    connected += 1
    socket.once('close', () => {
      connected -= 1
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const place = { url, server, asked: () => asked, connected: () => connected }
  places.push(place)
  return place
}

describe('createHttpClient with a discovery', () => {
  it('replaces its endpoints while requests run, and loses none of them', async () => {
    const all = [await startPlace('a', 3), await startPlace('b', 3), await startPlace('c', 3)]
    const [a, b, c] = all
    let turn = 0
    const client = createHttpClient({
      // Another pair of the three each time: every change takes one away that is in use.
      baseUrls: async () => {
        turn += 1
        return all.filter((_, index) => index !== turn % 3).map(({ url }) => ({ url }))
      },
      refreshMs: 20,
      connections: 2,
    })
    let running = true
    let answered = 0
    const ask = async () => {
      while (running) {
        expect((await client.get('/', { as: 'text' })).status).toBe(200)
        answered += 1
      }
    }
    const askers = Array.from({ length: 12 }, ask)
    await pollUntil(async () => turn >= 20 && answered > 200, {
      timeoutMs: 20_000,
      describe: () => `${turn} lists, ${answered} answers`,
    })
    running = false
    await Promise.all(askers)
    expect([a, b, c].every((place) => (place?.asked() ?? 0) > 10)).toBe(true)
    await client.close()
    await pollUntil(async () => all.every((place) => place.connected() === 0), {
      describe: () => 'connections are left',
    })
  })

  it('closes the connections to an endpoint that is gone, once its calls have ended', async () => {
    const old = await startPlace('old', 50)
    const next = await startPlace('next')
    let found = [{ url: old.url }]
    const client = createHttpClient({ baseUrls: async () => found, refreshMs: 10 })
    await client.get('/')
    const pending = client.get('/', { as: 'text' })
    found = [{ url: next.url }]
    expect((await pending).data).toBe('old')
    await pollUntil(async () => (await client.get('/', { as: 'text' })).data === 'next', {
      describe: () => 'the old endpoint is still used',
    })
    await pollUntil(async () => old.connected() === 0, { describe: () => 'still connected' })
    await client.close()
  })

  it('works on with the last good list while the discovery fails or finds nothing', async () => {
    const place = await startPlace('here')
    let asked = 0
    const failures: unknown[] = []
    const client = createHttpClient({
      baseUrls: async () => {
        asked += 1
        if (asked === 1) return [{ url: place.url }]
        if (asked % 2 === 0) return []
        throw new Error('registry down')
      },
      refreshMs: 5,
      onEvent: (event) => {
        if (event.type === 'discovery_failed') failures.push(event.error)
      },
    })
    await client.get('/')
    await pollUntil(async () => failures.length >= 4, { describe: () => 'no failure was told' })
    expect((await client.get('/', { as: 'text' })).data).toBe('here')
    await client.close()
  })

  it('fails with a reason, and within the time, as long as nothing was ever found', async () => {
    const empty = createHttpClient({ baseUrls: async () => [] })
    await expect(empty.get('/')).rejects.toMatchObject({ code: 'connection_failed' })
    await empty.close()
    const silent = createHttpClient({
      baseUrls: () => new Promise(() => undefined),
      timeouts: { totalMs: 50 },
    })
    await expect(silent.get('/')).rejects.toMatchObject({ code: 'timeout', limit: 'total' })
    await silent.close()
  })

  it('asks for the name in TLS, and checks the certificate against it', async () => {
    await using certificates = await makeCertificates()
    const { ca, cert, key } = certificates
    const asked: unknown[] = []
    const server = createTlsServer({ cert, key }, (request, response) => {
      const { servername } = request.socket as TLSSocket
      asked.push([servername, request.headers.host])
      response.end()
    })
    server.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const get = async (host: string) => {
      const client = createHttpClient({ baseUrls: async () => [{ url, host }], tls: { ca } })
      await client.get('/').finally(() => client.close())
    }
    await get('localhost:8443')
    expect(asked).toEqual([['localhost', 'localhost:8443']])
    await expect(get('stranger.example')).rejects.toMatchObject({
      code: 'connection_failed',
      reason: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    expect(asked).toHaveLength(1)
    server.close()
  })

  it('uses a backup only while no endpoint before it works, and sends the name as Host', async () => {
    const first = await startPlace('first')
    const backup = await startPlace('backup')
    const client = createHttpClient({
      baseUrls: async () => [
        { url: first.url, priority: 0, host: 'svc.internal:81' },
        { url: backup.url, priority: 1 },
      ],
      breaker: { failures: 1 },
    })
    for (let times = 0; times < 10; times++) await client.get('/')
    expect([first.asked(), backup.asked()]).toEqual([10, 0])
    expect((await client.get('/')).headers['x-host']).toBe('svc.internal:81')
    first.server.closeAllConnections()
    await new Promise((resolve) => first.server.close(resolve))
    expect((await client.get('/', { as: 'text' })).data).toBe('backup')
    await client.close()
  })
})
