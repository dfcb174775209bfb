import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import {
  connectRaw,
  type Provider,
  pollUntil,
  type RunningGateway,
  rawUpstream,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { get, head } from './http-text.ts'
import { gatewayTo } from './one-route.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  const at = (protocol: string, path: string) => ({
    protocol,
    retry: 'off',
    breaker: 'off',
    endpoints: [{ url: `${provider.url}${path}` }],
  })
  gateway = await startGateway({
    config: {
      version: 1,
      upstreams: { ai: at('openai', '/v1'), service: at('http', '') },
      routes: [
        { match: '/v1/**', upstreams: ['ai'], auth: 'none' },
        { match: '/**', upstreams: ['service'], auth: 'none' },
      ],
    },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => provider.reset())

const megabyte = 1024 * 1024

/** The gateway's resident memory, in bytes. */
async function memory(of = gateway): Promise<number> {
  const health = await fetch(`${of.url}/health/process`)
  const { memory: used } = (await health.json()) as { memory: { rss_bytes: number } }
  return used.rss_bytes
}

/** Downloads and digests a body without keeping it. */
async function download(url: string) {
  const request = httpRequest(url, { agent: false }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const digest = createHash('sha256')
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    digest.update(chunk)
    size += chunk.length
  }
  return { size, sha256: digest.digest('hex') }
}

describe('a large download', () => {
  it.each(['/bytes', '/v1/bytes'])('arrives whole, and is never held: %s', async (path) => {
    // Far more than what a process's memory goes up and down by anyway.
    const size = 200 * megabyte
    const direct = await download(`${provider.url}/bytes/${size}`)
    expect(await download(`${gateway.url}${path}/${size}`)).toEqual(direct)
    const before = await memory()
    expect(await download(`${gateway.url}${path}/${size}`)).toEqual(direct)
    expect((await memory()) - before).toBeLessThan(size / 2)
  })

  it('stops at its source when the client stops reading, and goes on when it does', async () => {
    const size = 160 * megabyte
    await using connection = await connectRaw({ port: gateway.port })
    connection.pause()
    await connection.write(get(`/bytes/${size}`, 'connection: close'))
    const seen = await provider.waitForRequest()
    const before = await memory()
    // The provider writes in one piece: what its kernel has not taken is not counted as sent.
    await quiet(() => Promise.resolve(connection.received.length))
    expect(seen.bytesSent).toBe(0)
    expect((await memory()) - before).toBeLessThan(60 * megabyte)
    connection.resume()
    expect(await connection.ended).toBe('closed')
    expect(connection.received.length).toBeGreaterThan(size)
    expect(seen.bytesSent).toBe(size)
  })

  it('of many events stops at its source too', async () => {
    const event = 'data: {"choices":[{"delta":{"content":"a word"}}]}\n\n'
    const size = event.length * 2_500_000
    await using source = await rawUpstream({ reply: null })
    await using alone = await gatewayTo(source.url, { protocol: 'openai' })
    await using connection = await connectRaw({ port: alone.port })
    connection.pause()
    await connection.write(get('/v1/events', 'connection: close'))
    const theirs = await source.waitForConnection()
    await theirs.waitFor('\r\n\r\n')
    const before = await memory(alone)
    const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${size}\r\n\r\n`
    void theirs.write(head)
    void theirs.write(Buffer.alloc(size, event))
    await quiet(async () => Math.round((await memory(alone)) / megabyte))
    expect((await memory(alone)) - before).toBeLessThan(size / 3)
    connection.resume()
    expect(await connection.ended).toBe('closed')
    expect(connection.received.subarray(-2 * event.length).toString()).toContain(event)
  })
})

describe('a large upload', () => {
  it.each([
    ['of known length', true],
    ['in chunks', false],
  ])('arrives whole: %s', async (_, known) => {
    const body = Buffer.alloc(8 * megabyte, 'pattern')
    const response = await fetch(`${gateway.url}/echo`, {
      method: 'POST',
      body: known ? body : new Blob([body]).stream(),
      duplex: 'half',
    })
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    const sha256 = createHash('sha256').update(body).digest('hex')
    expect(provider.lastRequest).toMatchObject({ sha256, bodyComplete: true })
  })

  it('waits for an upstream that does not read', async () => {
    const size = 60 * megabyte
    await using reader = await rawUpstream({ reply: null })
    await using alone = await gatewayTo(reader.url, { server: { bodyLimit: '100mb' } })
    await using connection = await connectRaw({ port: alone.port })
    await connection.write(`${head('POST /slow', `content-length: ${size}`)}x`)
    const source = await reader.waitForConnection()
    source.pause()
    const before = await memory(alone)
    const written = connection.write(Buffer.alloc(size - 1, 'x'))
    await quiet(async () => Math.round((await memory(alone)) / megabyte))
    expect((await memory(alone)) - before).toBeLessThan(size / 2)
    source.resume()
    await written
    const arrived = () => source.pieces.reduce((sum, piece) => sum + piece.length, 0)
    await pollUntil(async () => arrived() > size, { describe: () => `only ${arrived()} arrived` })
  })
})

/** Waits until a reading has not changed for a while: nothing moves any more. */
async function quiet(read: () => Promise<number>): Promise<void> {
  let last = -1
  let same = 0
  await pollUntil(
    async () => {
      const now = await read()
      same = now === last ? same + 1 : 0
      last = now
      return same >= 12
    },
    { describe: () => 'it never came to rest' },
  )
}
