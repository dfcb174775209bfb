import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pollUntil } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpClient, type HttpClient } from './client.ts'

let server: Server
let url: string
let connected = 0

beforeAll(async () => {
  server = createServer((request, response) => {
    const kind = request.url?.slice(1)
    request.resume()
    if (kind === 'reset') return void request.socket.resetAndDestroy()
    if (kind === 'half') {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('half', () => request.socket.destroy())
      return
    }
    if (kind === 'busy') response.statusCode = 503
    response.end('x'.repeat(kind === 'large' ? 100_000 : 10))
  })
  server.on('connection', (socket) => {
    connected += 1
    socket.once('close', () => {
      connected -= 1
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Listeners on a signal that is shared by many calls, counted from outside. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0
  const { addEventListener, removeEventListener } = signal
  const live = new Set<unknown>()
  signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
    live.add(given[1])
    count = live.size
    addEventListener.apply(signal, given)
  }
  signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
    live.delete(given[1])
    count = live.size
    removeEventListener.apply(signal, given)
  }
  return () => count
}

const kinds = ['good', 'large', 'busy', 'reset', 'half', 'stream', 'left'] as const

/** One call that ends in one of the ways in which calls end. */
async function ask(client: HttpClient, index: number, signal: AbortSignal): Promise<void> {
  const kind = kinds[index % kinds.length] ?? 'good'
  try {
    if (kind === 'left') {
      const leaving = AbortSignal.any([signal, AbortSignal.timeout(0)])
      await client.get('/large', { signal: leaving })
    } else if (kind === 'stream') {
      const { body } = await client.stream('/large', { signal })
      for await (const _ of body) if (index % 2 === 0) break
    } else await client.get(`/${kind}`, { signal, dedupe: index % 3 === 0 })
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^[a-z_]+$/) })
  }
}

async function askMany(
  client: HttpClient,
  total: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const runner = async () => {
    while (next < total) await work(next++)
  }
  await Promise.all(Array.from({ length: 32 }, runner))
  expect(client.stats().endpoints[0]?.pending).toBe(0)
}

describe('createHttpClient over a long time', () => {
  it('leaves no socket, no listener and no place taken behind after 10,000 calls of all kinds', async () => {
    const client = createHttpClient({
      baseUrls: url,
      connections: 16,
      breaker: false,
      retry: { retries: 1, initial: 1, max: 2 },
    })
    const { signal } = new AbortController()
    const listeners = countListeners(signal)
    await askMany(client, 10_000, (index) => ask(client, index, signal))
    expect(listeners()).toBe(0)
    expect(connected).toBeLessThanOrEqual(16)
    await client.close()
    await pollUntil(async () => connected === 0, { describe: () => `${connected} are left` })
  }, 60_000)

  it('needs no more memory after many calls than after some', async () => {
    setFlagsFromString('--expose-gc')
    const gc: () => void = runInNewContext('gc')
    const client = createHttpClient({ baseUrls: url, connections: 8, retry: false })
    const heap = () => {
      gc()
      return process.memoryUsage().heapUsed
    }
    const get = async () => {
      await client.get('/good', { as: 'text' })
    }
    await askMany(client, 2_000, get)
    const before = heap()
    await askMany(client, 10_000, get)
    // 10,000 calls that kept but 200 bytes each would be 2 MB.
    expect(heap() - before).toBeLessThan(2_000_000)
    await client.close()
  }, 60_000)
})
