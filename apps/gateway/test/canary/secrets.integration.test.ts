import {
  canary,
  findCanaries,
  type Provider,
  type RunningGateway,
  rawRequest,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

let provider: Provider
let gateway: RunningGateway | undefined

const provider1 = canary('provider key', 'sk-')
const provider2 = canary('anthropic key', 'sk-ant-')
const backend = canary('backend key')
const client = canary('client key')
const admin = canary('admin key')

beforeAll(async () => {
  provider = await startProvider()
})
afterAll(async () => await provider[Symbol.asyncDispose]())
beforeEach(() => provider.reset())
afterEach(async () => {
  await gateway?.[Symbol.asyncDispose]()
  gateway = undefined
})

const profiles = ['development', 'test', 'staging', 'production'] as const

/** A gateway whose every secret is marked, and which writes all that it ever writes. */
async function start(profile: string): Promise<RunningGateway> {
  const at = (protocol: string, url: string, apiKey: string) => ({
    protocol,
    retry: 'off',
    breaker: 'off',
    endpoints: [{ url, apiKey }],
    timeouts: { firstByte: '300ms' },
  })
  gateway = await startGateway({
    config: {
      version: 1,
      server: { bodyLimit: '64kb', timeouts: { body: '300ms' }, trustedProxies: ['127.0.0.2'] },
      admin: { key: `\${ADMIN_SECRET}` },
      upstreams: {
        ai: at('openai', `${provider.url}/v1`, provider1),
        claude: at('anthropic', `${provider.url}/v1`, `\${CLAUDE_SECRET}`),
        service: at('http', provider.url, backend),
        dead: at('http', 'http://127.0.0.1:1', backend),
      },
      routes: [
        { match: '/v1/messages', upstreams: ['claude'] },
        { match: '/v1/checked', upstreams: ['ai'], validate: { required: ['model'] } },
        { match: '/v1/**', upstreams: ['ai'] },
        { match: '/dead/**', upstreams: ['dead'], auth: 'none' },
        { match: '/open/**', upstreams: ['service'], auth: 'none' },
      ],
      auth: { keys: [{ id: 'client', key: `\${CLIENT_SECRET}` }] },
    },
    env: {
      ENVIRONMENT: profile,
      LOG_LEVEL: 'trace',
      DEBUG: 'true',
      ADMIN_SECRET: admin,
      CLAUDE_SECRET: provider2,
      CLIENT_SECRET: client,
    },
  })
  return gateway
}

/** A secret in every place of a request where one may stand. */
function secretFields(): string[] {
  return [
    ...['cookie: session=', 'proxy-authorization: Basic ', 'x-goog-api-key: ', 'x-own: '],
    ...[
      'user-agent: ',
      'referer: https://u:',
      'accept: ',
      'x-request-id: not/well/formed-',
      'traceparent: ',
    ],
    ...['x-forwarded-for: ', 'forwarded: for=', 'x-session-id: ', 'x-admin-key: ', 'via: 1.1 '],
    ...['x-amz-security-token: ', 'openai-organization: ', 'te: ', 'connection: close, '],
    ...['if-none-match: "', 'origin: https://', 'content-type: application/json; x='],
  ].map((field) => `${field}${canary(field.split(':')[0])}`)
}

interface Attempt {
  readonly line: string
  readonly fields?: readonly string[]
  readonly body?: string
  readonly declared?: number
  readonly from?: string
}

async function attempt(
  of: RunningGateway,
  { line, fields = [], body = '', declared, from }: Attempt,
) {
  const length = declared ?? Buffer.byteLength(body)
  const { bytes } = await rawRequest({
    port: of.port,
    send: [
      `${line} HTTP/1.1\r\nhost: gateway.test\r\n`,
      ...[...secretFields(), ...fields].map((field) => `${field}\r\n`),
      `content-length: ${length}\r\n\r\n${body}`,
    ].join(''),
    localAddress: from ?? '127.0.0.1',
  })
  return bytes
}

const key = `authorization: Bearer ${client}`
const query = () =>
  `?api_key=${canary('query key')}&access_token=${canary('token')}&q=${canary('q')}`
const body = () => JSON.stringify({ model: 'm', messages: [{ content: canary('prompt') }] })

/** One request for each way in which one ends, well or badly. */
function attempts(): Attempt[] {
  const good = body()
  return [
    { line: `GET /v1/models${query()}`, fields: [key] },
    { line: `POST /v1/files${query()}`, fields: [key], body: good },
    { line: `POST /v1/messages${query()}`, fields: [`x-api-key: ${client}`], body: good },
    { line: `GET /open/x${query()}` },
    { line: `GET /v1/models${query()}` },
    { line: 'GET /v1/models', fields: [`authorization: Bearer ${canary('wrong')}`] },
    { line: 'GET /v1/messages', fields: [`x-api-key: ${canary('wrong', 'sk-ant-')}`] },
    { line: 'GET /v1/models', fields: [`authorization: ${canary('no scheme')}`] },
    { line: `POST /dead/x${query()}`, body: good },
    { line: `POST /v1/checked${query()}`, fields: [key], body: `{"x": "${canary('json')}" oops` },
    { line: `POST /v1/checked${query()}`, fields: [key], body: `{"x": "${canary('json')}"}` },
    { line: `POST /v1/x${query()}`, fields: [key], body: 'x', declared: 100_000 },
    { line: `POST /v1/x${query()}`, fields: [key], body: canary('half'), declared: 1_000 },
    { line: `GET /v1/../${canary('dots')}` },
    { line: `GET http://${canary('user')}:${canary('password')}@evil.test/${query()}` },
    { line: `TRACE /v1/x${query()}`, fields: [key] },
    { line: `CONNECT ${canary('target')}:443` },
    { line: `GET /health/components${query()}`, fields: [`x-admin-key: ${canary('wrong admin')}`] },
    { line: `GET /metrics${query()}`, fields: [`authorization: Bearer ${admin}`] },
    { line: `GET /v1/models${query()}`, fields: [`x-a : ${canary('malformed')}`] },
    { line: `GET /v1/models${query()}`, fields: [`expect: ${canary('expect')}`] },
    { line: `GET /open/x${query()}`, from: '127.0.0.2' },
  ]
}

function secretsIn(of: RunningGateway) {
  return findCanaries(of.stdout + of.stderr).map(({ canary: found, excerpt }) => ({
    found,
    excerpt,
  }))
}

describe.each(profiles)('a secret in the %s profile', (profile) => {
  it('is in no log line and no answer, whatever becomes of its request', async () => {
    const of = await start(profile)
    for (const each of attempts()) {
      const bytes = await attempt(of, each)
      expect({ line: each.line.slice(0, 20), found: findCanaries(bytes) }).toEqual({
        line: each.line.slice(0, 20),
        found: [],
      })
      expect(bytes.length).toBeGreaterThan(0)
    }
    of.signal('SIGTERM')
    await of.exit
    expect(of.logs.length).toBeGreaterThan(attempts().length / 2)
    expect(secretsIn(of)).toEqual([])
  })

  it('reaches the upstream only where it belongs', async () => {
    const of = await start(profile)
    provider.always({ status: 204 })
    await attempt(of, { line: 'GET /v1/models', fields: [key] })
    const seen = provider.lastRequest.rawHeaders.join('\n')
    expect(seen).toContain(provider1)
    for (const other of [provider2, backend, client, admin]) expect(seen).not.toContain(other)
  })

  it('of an upstream stays out of the log, however its answer ends', async () => {
    const of = await start(profile)
    const secret = canary('upstream secret')
    const headers = { 'x-upstream-token': secret, 'set-cookie': `s=${secret}` }
    provider.next(
      { status: 500, json: { error: { message: secret } }, headers },
      { status: 401, headers },
      { body: secret, headers, fault: { kind: 'reset', at: { bytes: 3 } } },
      { headers, fault: { kind: 'stall', at: 'before-headers' } },
      { raw: `HTTP/1.1 ${secret}\r\n\r\n`, rawThen: 'close' },
      { raw: `HTTP/1.1 200 OK\r\nx-a : ${secret}\r\n\r\n`, rawThen: 'close' },
      { raw: `${secret}${'x'.repeat(5_000)}`, rawThen: 'reset' },
    )
    const answers: Buffer[] = []
    for (let i = 0; i < 7; i += 1)
      answers.push(await attempt(of, { line: `GET /v1/x${query()}`, fields: [key] }))
    // Its own answers are its own affair; what we say of broken ones is ours.
    for (const answer of answers.slice(3)) expect(findCanaries(answer)).toEqual([])
    of.signal('SIGTERM')
    await of.exit
    expect(secretsIn(of)).toEqual([])
  })

  it('in a path is redacted in the log where it looks like one', async () => {
    const of = await start(profile)
    const token = canary('path token', 'sk-')
    await rawRequest({
      port: of.port,
      send: `GET /open/${token}/x?k=${canary()} HTTP/1.1\r\nhost: gateway.test\r\n\r\n`,
    })
    await of.waitForLog(({ path }) => String(path).startsWith('/open/'))
    expect(secretsIn(of)).toEqual([])
  })
})

describe('what an operator may see', () => {
  it('holds no secret', async () => {
    const of = await start('production')
    for (const path of ['components', 'process', 'ai', 'claude', 'dead']) {
      const { bytes } = await rawRequest({
        port: of.port,
        send: `GET /health/${path} HTTP/1.1\r\nhost: x\r\nx-admin-key: ${admin}\r\n\r\n`,
      })
      expect(bytes.toString()).toMatch(/^HTTP\/1\.1 200 /)
      expect(findCanaries(bytes)).toEqual([])
    }
  })
})
