import {
  connectRaw,
  type Provider,
  parseResponses,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { post } from './http-text.ts'

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
      upstreams: {
        claude: at('anthropic', '/v1'),
        ai: at('openai', '/v1'),
        service: at('http', ''),
      },
      routes: [
        { match: '/v1/messages', upstreams: ['claude'], auth: 'none' },
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

const endpoints = {
  '/v1/chat/completions': { messages: [] },
  '/v1/completions': { prompt: 'p' },
  '/v1/responses': { input: 'i' },
  '/v1/messages': { messages: [], max_tokens: 9 },
} as const

type Endpoint = keyof typeof endpoints
const names = Object.keys(endpoints) as Endpoint[]

function request(endpoint: Endpoint, prefix = ''): string {
  const body = { model: 'm', stream: true, ...endpoints[endpoint] }
  return post(prefix + endpoint, JSON.stringify(body), 'content-type: application/json')
}

/** The body's bytes of one exchange, straight from the provider or through the gateway. */
async function bodyFrom(port: number, text: string) {
  const { response } = await rawRequest({ port, send: text })
  return { text: response.body.toString(), complete: response.complete, response }
}

async function both(text: string) {
  const direct = await bodyFrom(provider.port, text)
  const through = await bodyFrom(gateway.port, text)
  return { direct, through }
}

describe('an event stream', () => {
  it.each([
    ...names.map((name) => [name, ''] as const),
    ['/v1/chat/completions', '/service'] as const,
  ])('passes event by event, each before the next was sent: %s%s', async (endpoint, prefix) => {
    const gates: (() => void)[] = []
    provider.next({
      beforeEvent: (index) =>
        index === 0 ? undefined : new Promise<void>((resolve) => gates.push(resolve)),
    })
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(request(endpoint, prefix))
    const events = () => {
      const [response] = parseResponses(connection.received, { closed: false })
      return response?.body.toString().split('\n\n').filter(Boolean) ?? []
    }
    for (let sent = 1; ; sent += 1) {
      await connection.waitFor(() => events().length === sent)
      const [response] = parseResponses(connection.received, { closed: false })
      if (response?.complete === true) break
      const held = gates.shift()
      if (held === undefined) break
      held()
    }
    await connection.waitFor('0\r\n\r\n')
    expect(events().length).toBeGreaterThan(8)
  })

  it('has its head passed before its first event', async () => {
    let open: () => void = () => undefined
    provider.next({
      beforeEvent: () =>
        new Promise<void>((resolve) => {
          open = resolve
        }),
    })
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(request('/v1/chat/completions'))
    await connection.waitFor('content-type: text/event-stream')
    open()
  })

  const lineEnds = ['\n', '\r\n', '\r'] as const
  const cuts = ['event', 'whole', 'awkward', 1, 7, 4096] as const
  it.each(
    lineEnds.flatMap((lineEnd) =>
      cuts.map((cut) => [JSON.stringify(lineEnd), cut, lineEnd] as const),
    ),
  )('has the same bytes as without us: lines end in %s, cut by %s', async (_, cut, lineEnd) => {
    for (const endpoint of names) {
      provider.always({
        lineEnd,
        cut,
        comments: true,
        text: 'gr\u00fc\u00dfe \u{1f30a} "[DONE]" \n\n',
      })
      const { direct, through } = await both(request(endpoint))
      expect(through.text).toBe(direct.text)
      expect(through.complete).toBe(true)
    }
  })

  it.each([
    ['a byte order mark', { insert: [{ before: 0, bytes: '\ufeff' }] }],
    ['heartbeats', { insert: [1, 2, 3].map((before) => ({ before, bytes: ':\n\n: x\n' })) }],
    ['fields nobody knows', { insert: [{ before: 1, bytes: 'id: 7\nretry: 10\nx\n\n' }] }],
    ['an event of several lines', { insert: [{ before: 1, bytes: 'data: {\ndata: }\n\n' }] }],
    [
      'mixed line ends',
      { insert: [{ before: 2, bytes: 'data: 1\r\n\r\ndata: 2\r\rdata: 3\n\n' }] },
    ],
    ['a large event', { padFirstEvent: 3_000_000, cut: 65_536 }],
    ['no closing marker but a reason to stop', { omitDone: true }],
    ['bytes that are no UTF-8', { insert: [{ before: 1, bytes: ': \u0000\u007f\n\n' }] }],
    ['a body of known length', { framing: 'length' }],
    ['a body until the end of the connection', { framing: 'close' }],
    ['compression', { encoding: 'gzip' }],
    ['the error of a provider', { fault: { kind: 'error-event', at: { events: 3 } } }],
  ] as const)('has the same bytes as without us: %s', async (_, behaviour) => {
    provider.always(behaviour)
    const { direct, through } = await both(request('/v1/chat/completions'))
    expect(through.text).toBe(direct.text)
    expect(through.complete).toBe(true)
  })
})

describe('an event stream that breaks', () => {
  const kinds = ['reset', 'close', 'stop'] as const
  const cases = names.flatMap((name) => kinds.map((kind) => [name, kind] as const))

  it.each(cases)('ends in an error event of its protocol: %s, by %s', async (endpoint, kind) => {
    provider.always({ fault: { kind, at: { events: 4 } } })
    const direct = await bodyFrom(provider.port, request(endpoint)).catch(() => undefined)
    const through = await bodyFrom(gateway.port, request(endpoint))
    const events = through.text.split('\n\n').filter(Boolean)
    expect(through.complete).toBe(true)
    expect(events).toHaveLength(5)
    if (direct !== undefined) expect(through.text.startsWith(direct.text)).toBe(true)
    const last = events[4] ?? ''
    const data = JSON.parse(last.slice(last.indexOf('data: ') + 6))
    expect(data.request_id).toBe(through.response.header('x-request-id'))
    if (endpoint === '/v1/messages') {
      expect(last).toMatch(/^event: error\n/)
      expect(data).toMatchObject({ type: 'error', error: { type: 'api_error' } })
    } else {
      const code = kind === 'stop' ? 'stream_truncated' : 'stream_interrupted'
      expect(data.error).toMatchObject({ type: 'upstream_error', code })
    }
    if (endpoint === '/v1/responses') expect(data).toMatchObject({ type: 'error' })
  })

  it.each([20, 150, 333, 700])(
    'never has it put inside another event: after %s bytes',
    async (bytes) => {
      for (const lineEnd of ['\n', '\r\n', '\r'] as const) {
        provider.always({ lineEnd, comments: true, fault: { kind: 'close', at: { bytes } } })
        const { text } = await bodyFrom(gateway.port, request('/v1/chat/completions'))
        const [broken = '', ...rest] = text.split('data: {"error"').reverse()
        expect(rest).toHaveLength(1)
        expect(broken).toMatch(/"stream_interrupted".*\n\n$/)
        const before = rest[0] ?? ''
        // A lone CR is a line end too, so a CR LF cut in two has ended its line.
        expect(before).toMatch(/^$|\n\n$|\n\r\n?$|\r\r$/)
      }
    },
  )

  it('is whole when only its connection broke behind the closing marker', async () => {
    provider.always({ fault: { kind: 'reset', at: { events: 11 } } })
    const { text } = await bodyFrom(gateway.port, request('/v1/chat/completions'))
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
    expect(text).not.toContain('stream_interrupted')
  })

  it('is logged with the status that the client saw', async () => {
    provider.next({ fault: { kind: 'reset', at: { events: 4 } } })
    const { response } = await bodyFrom(gateway.port, request('/v1/chat/completions'))
    const line = await gateway.waitForLog(
      ({ message, request_id }) =>
        message === 'request' && request_id === response.header('x-request-id'),
    )
    expect(line).toMatchObject({
      status_code: 200,
      outcome: 'upstream_broken',
      error_code: 'stream_interrupted',
    })
  })
})
