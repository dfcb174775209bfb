import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type HardenOptions, hardenServer } from './harden-server.ts'
import { type ServerLimits, serverOptions } from './server-options.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const resource of open.splice(0)) resource.close()
})

const greet: RequestListener = (request, response) => {
  request.resume()
  request.on('end', () => response.end('hello'))
}

async function start(
  options: HardenOptions = {},
  limits: ServerLimits = {},
  listener = greet,
): Promise<{ port: number; server: Server; refused: string[] }> {
  const refused: string[] = []
  const server = createServer(serverOptions(limits), listener)
  hardenServer(server, {
    ...options,
    onRefused: (reason, address) => refused.push(`${reason} ${address}`),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  return { port: (server.address() as AddressInfo).port, server, refused }
}

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  open.push({ close: () => socket.destroy() })
  return socket
}

/** Sends bytes and reads until the server closes the connection. */
function talk(port: number, ...parts: string[]): Promise<string> {
  const socket = dial(port)
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  for (const part of parts) socket.write(part, 'latin1')
  return new Promise((resolve) => socket.once('close', () => resolve(received)))
}

function parse(response: string) {
  const [head = '', body = ''] = response.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = new Headers(
    lines.map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]),
  )
  return { status: Number(statusLine.split(' ')[1]), headers, json: JSON.parse(body), body }
}

describe('hardenServer', () => {
  it.each([
    ['no HTTP at all', 'hello there\r\n\r\n'],
    [
      'conflicting lengths',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd',
    ],
    ['a broken header', 'GET / HTTP/1.1\r\nhost: a\r\nbad header: x\r\n\r\n'],
    ['a header with a bare newline', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\nb\r\n\r\n'],
    ['a broken chunk', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['a target beyond ASCII', 'GET /caf\u00e9 HTTP/1.1\r\nhost: a\r\n\r\n'],
  ])('answers %s with one JSON problem and closes', async (_name, request) => {
    const { port, refused } = await start()
    const { status, headers, json, body } = parse(await talk(port, request))
    expect(status).toBe(400)
    expect(headers.get('connection')).toBe('close')
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('content-length')).toBe(String(body.length))
    expect(json).toMatchObject({
      code: 'malformed_request',
      request_id: headers.get('x-request-id'),
    })
    expect(refused).toEqual(['malformed_request 127.0.0.1'])
  })

  it('answers headers that are too large with 431', async () => {
    const { port } = await start({}, { maxHeaderBytes: 1024 })
    const answer = parse(
      await talk(port, `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(5000)}\r\n\r\n`),
    )
    expect(answer.status).toBe(431)
    expect(answer.json.code).toBe('header_overflow')
  })

  it('answers headers that come too slowly with 408', async () => {
    const { port, refused } = await start({}, { headersTimeoutMs: 100 })
    expect(parse(await talk(port, 'GET / HTTP/1.1\r\nhost: a\r\n')).status).toBe(408)
    expect(refused).toEqual(['request_timeout 127.0.0.1'])
  })

  it('answers a body that comes too slowly with 408', async () => {
    const { port } = await start({}, { headersTimeoutMs: 100, requestTimeoutMs: 150 })
    const request = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc'
    expect(parse(await talk(port, request)).status).toBe(408)
  })

  it('closes a connection that never sent a byte without a word', async () => {
    const { port } = await start({}, { headersTimeoutMs: 100 })
    expect(await talk(port)).toBe('')
  })

  it('resets a connection whose response has begun instead of adding to it', async () => {
    const { port } = await start({}, {}, (_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('begun')
    })
    const received = await talk(
      port,
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n',
      'zz\r\n',
    )
    expect(received).not.toContain('400')
  })

  it('answers once, however many faulty bytes follow', async () => {
    const { port, refused } = await start()
    const received = await talk(port, 'x\r\n\r\n', 'y\r\n\r\n', 'z'.repeat(100_000))
    expect(received.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
    expect(refused).toHaveLength(1)
  })

  it('answers a faulty request behind a good one on the same connection', async () => {
    const { port } = await start()
    const socket = dial(port)
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString()
      if (received.endsWith('hello')) socket.write('nonsense\r\n\r\n')
    })
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await new Promise((resolve) => socket.once('close', resolve))
    expect(received.match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
  })

  it('refuses CONNECT with 405 and other expectations with 417', async () => {
    const { port, refused } = await start()
    const tunnel = parse(await talk(port, 'CONNECT evil:443 HTTP/1.1\r\nhost: evil:443\r\n\r\n'))
    expect(tunnel).toMatchObject({ status: 405, json: { code: 'method_not_allowed' } })
    const request =
      'POST /a?token=sk-1 HTTP/1.1\r\nhost: a\r\nexpect: tea\r\ncontent-length: 1\r\n\r\n'
    const answer = parse(await talk(port, request))
    expect(answer).toMatchObject({
      status: 417,
      json: { code: 'expectation_failed', instance: '/a' },
    })
    expect(refused).toEqual(['method_not_allowed 127.0.0.1', 'expectation_failed 127.0.0.1'])
  })

  it('closes connections beyond the limit and says so to its observer', async () => {
    const { port, refused } = await start({ maxConnections: 1 })
    const first = dial(port)
    await new Promise((resolve) => first.once('connect', resolve))
    expect(await talk(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')).toBe('')
    expect(refused).toEqual(['connection_limit 127.0.0.1'])
  })

  it('lets a handler see every header that fits', async () => {
    const { port } = await start({}, { maxHeaderBytes: 65_536 }, (request, response) => {
      response.shouldKeepAlive = false
      response.end(String(request.rawHeaders.length / 2))
    })
    const headers = Array.from({ length: 3000 }, (_, index) => `a${index}: b\r\n`).join('')
    expect(await talk(port, `GET / HTTP/1.1\r\nhost: a\r\n${headers}\r\n`)).toMatch(/3001$/)
  })
})

describe('serverOptions', () => {
  it('looks often enough for its own timeouts and never contradicts itself', () => {
    expect(serverOptions().connectionsCheckingInterval).toBe(3750)
    expect(serverOptions({ headersTimeoutMs: 1000 }).connectionsCheckingInterval).toBe(250)
    expect(serverOptions({ requestTimeoutMs: 1000 }).requestTimeout).toBe(15_000)
    expect(
      serverOptions({ requestTimeoutMs: 0, headersTimeoutMs: 0 }).connectionsCheckingInterval,
    ).toBe(5000)
  })
})
