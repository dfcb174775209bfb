import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort, rawUpstream, startDeafListener } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { type HttpCheckOptions, httpCheck } from './http.ts'
import { look } from './looking.fixture.ts'
import { pineconeCheck } from './pinecone.ts'
import { listen, type TcpServer } from './tcp.fixture.ts'

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const urlOf = ({ port }: TcpServer) => `http://127.0.0.1:${port}`
const lookAt = (options: HttpCheckOptions, timeout = 5_000) => look(httpCheck(options), { timeout })

describe('httpCheck', () => {
  it('expects a status and a body', async () => {
    await using server = await serve((_, response) => response.end('all is well'))
    const { url } = server
    const seen = [
      await lookAt({ url }),
      await lookAt({ url, expectStatus: [204, 200], expectBody: 'well' }),
      await lookAt({ url, expectBody: /^all/g }),
      await lookAt({ url, expectBody: (body) => body.length === 11 }),
      await lookAt({ url, expectStatus: 204 }),
      await lookAt({ url, expectBody: 'ill' }),
    ].map(({ status, error }) => [status, error?.code])
    expect(seen).toEqual([
      ...Array.from({ length: 4 }, () => ['healthy', undefined]),
      ['unhealthy', 'unexpected_status'],
      ['unhealthy', 'unexpected_body'],
    ])
  })

  it('sends what it is told, and a password as a header', async () => {
    let seen: unknown
    await using server = await serve(({ method, headers }, response) => {
      seen = [method, headers.authorization, headers['x-a'], headers.host]
      response.end()
    })
    const { host } = new URL(server.url)
    const url = `http://ada:p%40ss@${host}/?key=1`
    await lookAt({ url, method: 'HEAD', headers: { 'x-a': '1' } })
    expect(seen).toEqual(['HEAD', `Basic ${btoa('ada:p@ss')}`, '1', host])
  })

  it('follows no redirect', async () => {
    let asked = 0
    await using server = await serve((_, response) => {
      asked += 1
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    const { error, details } = await lookAt({ url: server.url })
    expect([error?.code, details, asked]).toEqual(['unexpected_status', { http_status: 302 }, 1])
  })

  it('reads no more of an endless body than it may', async () => {
    await using server = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    const { url } = server
    const { error } = await lookAt({ url, expectBody: 'y', maxBytes: 50_000 })
    expect(error?.code).toBe('too_large')
    expect((await lookAt({ url })).status).toBe('healthy')
  })

  it('tells a server that refuses, hangs, resets or speaks something else', async () => {
    await using deaf = await startDeafListener()
    await using mute = await rawUpstream({ reply: null })
    await using resets = await listen((socket) => void socket.resetAndDestroy())
    await using garbage = await listen((socket) => void socket.end('SSH-2.0-OpenSSH\r\n'))
    const refusing = `http://127.0.0.1:${await freePort()}`
    const seen = await Promise.all([
      lookAt({ url: refusing }),
      lookAt({ url: deaf.url }, 300),
      lookAt({ url: mute.url }, 300),
      lookAt({ url: urlOf(resets) }),
      lookAt({ url: urlOf(garbage) }),
    ])
    expect(seen.map(({ status }) => status)).toEqual(seen.map(() => 'unhealthy'))
    const [refused, unheard, silent, reset, strange] = seen.map(({ error }) => error?.code)
    expect([refused, unheard, silent]).toEqual(['ECONNREFUSED', 'timeout', 'timeout'])
    expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain(reset)
    expect(strange).toBe('wrong_protocol')
  })

  it('never shows where it asked', async () => {
    const url = `http://ada:hunter2@127.0.0.1:${await freePort()}/?token=hunter2`
    expect(JSON.stringify(await lookAt({ url }))).not.toContain('hunter2')
    const refuse = (wrong: string) => () => httpCheck({ url: wrong })
    expect(refuse('ftp://ada:hunter2@h/')).toThrow(/^(?!.*hunter2).*http:\/\//)
    expect(refuse('hunter2')).toThrow(/^(?!.*hunter2).*http:\/\//)
  })
})

describe('pineconeCheck', () => {
  const apiKey = 'pc-hunter2'
  const answering = (status: number, body: unknown) =>
    serve((request, response) => {
      const known = request.url === '/indexes' && request.headers['api-key'] === apiKey
      response.writeHead(known ? status : 401).end(JSON.stringify(body))
    })
  const indexes = [
    { name: 'docs', status: { ready: true } },
    { name: 'new', status: { ready: false } },
  ]

  it('tells how many indexes there are, and looks for one', async () => {
    await using server = await answering(200, { indexes })
    const ask = (index?: string) =>
      look(pineconeCheck({ apiKey: { reveal: () => apiKey }, baseUrl: server.url, index }))
    expect(await ask()).toMatchObject({ status: 'healthy', details: { indexes: 2, ready: 1 } })
    expect((await ask('docs')).status).toBe('healthy')
    expect((await ask('new')).error?.message).toBe('The index "new" is not ready.')
    expect((await ask('gone')).error?.message).toBe('The index "gone" does not exist.')
  })

  it('tells a refused key from a service that fails, is busy, or is another one', async () => {
    const look1 = async (status: number, body: unknown, key = apiKey) => {
      await using server = await answering(status, body)
      return await look(pineconeCheck({ apiKey: key, baseUrl: server.url }))
    }
    const seen = [
      await look1(200, { indexes }, 'wrong-hunter2'),
      await look1(429, {}),
      await look1(500, {}),
      await look1(200, 'hello'),
      await look1(200, null),
    ]
    expect(seen.map(({ status, error }) => [status, error?.code])).toEqual([
      ['unhealthy', 'key_refused'],
      ['degraded', 'rate_limited'],
      ['unhealthy', 'unexpected_status'],
      ['unhealthy', 'unexpected_body'],
      ['unhealthy', 'unexpected_body'],
    ])
    expect(JSON.stringify(seen)).not.toContain('hunter2')
  })

  it('tells a service that is down, silent or slow', async () => {
    await using mute = await rawUpstream({ reply: null })
    const at = (baseUrl: string) => pineconeCheck({ apiKey, baseUrl })
    const down = await look(at(`http://127.0.0.1:${await freePort()}`))
    expect(down.error?.code).toBe('ECONNREFUSED')
    expect((await look(at(mute.url), { timeout: 100 })).error?.code).toBe('timeout')
    await using server = await answering(200, { indexes })
    expect((await look(at(server.url), { slow: 0 })).error?.code).toBe('slow')
  })

  it('refuses a key that can’t be sent, and doesn’t show it', () => {
    expect(() => pineconeCheck({ apiKey: 'hunter2\n' })).toThrow(/^(?!.*hunter2).*apiKey/)
    expect(() => pineconeCheck({ apiKey: '' })).toThrow(/apiKey/)
  })
})
