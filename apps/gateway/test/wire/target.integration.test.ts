import {
  type RawUpstream,
  type RunningGateway,
  rawRequest,
  rawUpstream,
  startGateway,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { get, head, reply } from './http-text.ts'

let upstream: RawUpstream
let gateway: RunningGateway
/** The targets that the upstream was asked for, in order. */
const targets: string[] = []

beforeAll(async () => {
  upstream = await rawUpstream({
    reply: ({ startLine }) => {
      targets.push(startLine.split(' ')[1] ?? '')
      return reply('200 OK')
    },
  })
  gateway = await startGateway({
    config: {
      version: 1,
      upstreams: {
        ai: {
          protocol: 'openai',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: `${upstream.url}/base/v1` }],
        },
        service: {
          protocol: 'http',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: `${upstream.url}/service` }],
        },
      },
      routes: [
        { match: '/v1/admin/**', upstreams: ['ai'], auth: 'required' },
        { match: '/v1/**', upstreams: ['ai'], auth: 'none' },
        { match: '/app/*/files/**', upstreams: ['service'], auth: 'none', stripPrefix: '/app' },
      ],
      auth: { keys: [{ id: 'operator', key: 'a-key-for-operators' }] },
    },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

/** Sends a GET for exactly this target: the answer's status, and the target that the upstream saw. */
async function ask(target: string | Buffer) {
  const before = targets.length
  const { response } = await rawRequest({
    port: gateway.port,
    send: Buffer.concat([
      Buffer.from('GET '),
      Buffer.from(target),
      Buffer.from(' HTTP/1.1\r\nhost: gateway.test\r\n\r\n'),
    ]),
  })
  return {
    status: response.status,
    seen: targets.slice(before),
    body: response.body.toString(),
  }
}

describe('a path that could lead elsewhere', () => {
  it.each([
    ['dot segments', '/v1/../admin'],
    ['a dot segment at the end', '/v1/models/..'],
    ['a single dot', '/v1/./models'],
    ['encoded dots', '/v1/%2e%2e/admin'],
    ['dots encoded in upper case', '/v1/%2E%2E/admin'],
    ['dots encoded by half', '/v1/.%2e/admin'],
    ['a dot segment with a parameter', '/v1/..;/admin'],
    ['an encoded slash', '/v1/..%2fadmin'],
    ['an encoded slash in upper case', '/v1/a%2Fb'],
    ['an encoded backslash', '/v1/..%5cadmin'],
    ['a backslash', '/v1/..\\admin'],
    ['an encoded NUL', '/v1/models%00.json'],
    ['an overlong slash', '/v1/..%c0%afadmin'],
    ['an overlong dot', '/v1/%c0%ae%c0%ae/admin'],
    ['a broken percent', '/v1/%zz'],
    ['a percent at the end', '/v1/models%'],
    ['a lone percent digit', '/v1/models%2'],
    ['absolute form', 'http://other.test/v1/models'],
    ['absolute form with our own name', 'http://gateway.test/v1/models'],
    ['absolute form of another scheme', 'ftp://gateway.test/v1/models'],
    ['asterisk form', '*'],
    ['authority form', 'other.test:443'],
    ['a fragment', '/v1/models#fragment'],
    ['a fragment in the query', '/v1/models?a=b#c'],
    ['a path without its slash', 'v1/models'],
  ])('is refused: %s', async (_, target) => {
    const { status, seen } = await ask(target)
    expect(status).toBe(400)
    expect(seen).toEqual([])
  })

  it('is refused when it is not ASCII', async () => {
    for (const bytes of [Buffer.from('/v1/\u00fc'), Buffer.from('/v1/\u00fc', 'latin1')]) {
      expect(await ask(bytes)).toMatchObject({ status: 400, seen: [] })
    }
  })

  it('says what is wrong with it and never repeats it', async () => {
    const { body } = await ask('/v1/../secret-place')
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'invalid_target', instance: '/' })
    expect(body).toContain('dot segment')
    expect(body).not.toContain('secret-place')
  })

  it('stays on its upstream, as a path, when it looks like an authority', async () => {
    const { status, seen } = await ask('//other.test/v1/models')
    expect(status).toBe(404)
    expect(seen).toEqual([])
  })

  it('is passed on as it is where it only looks odd', async () => {
    const cases = [
      ['/v1/a%252fb', '/base/v1/a%252fb'],
      ['/v1/%252e%252e/admin', '/base/v1/%252e%252e/admin'],
      ['/v1//admin', '/base/v1//admin'],
      ['/v1/...', '/base/v1/...'],
      ['/v1/.hidden', '/base/v1/.hidden'],
      ['/v1/a..b', '/base/v1/a..b'],
      ['/v1/a%20b', '/base/v1/a%20b'],
      ['/v1/%c3%bc', '/base/v1/%C3%BC'],
      ["/v1/!$&'()*+,;=:@", "/base/v1/!$&'()*+,;=:@"],
      ['/v1/models/ft:gpt-4o:org::id', '/base/v1/models/ft:gpt-4o:org::id'],
      ['/v1/', '/base/v1/'],
      ['/v1', '/base/v1'],
    ]
    for (const [target = '', expected] of cases) {
      expect(await ask(target)).toMatchObject({ status: 200, seen: [expected] })
    }
  })
})

describe('one path is matched and forwarded', () => {
  it.each(['/v1/%61dmin/users', '/v1/adm%69n', '/%761/admin/x', '/%76%31/%61%64%6D%69%6E'])(
    'so that no spelling slips past a rule: %s',
    async (target) => {
      const { status, seen } = await ask(target)
      expect(status).toBe(401)
      expect(seen).toEqual([])
    },
  )

  it('with its unreserved characters decoded and its hex digits in upper case', async () => {
    const { status, seen } = await ask('/%761/%6dodels/%7e%2d%5f%2e5%e2%82%ac')
    expect(status).toBe(200)
    expect(seen).toEqual(['/base/v1/models/~-_.5%E2%82%AC'])
  })

  it('whatever its case: a path in another case is another path', async () => {
    expect(await ask('/V1/models')).toMatchObject({ status: 404, seen: [] })
    expect(await ask('/v1/Admin')).toMatchObject({ status: 200, seen: ['/base/v1/Admin'] })
  })

  it('less its prefix, and only below it', async () => {
    expect(await ask('/app/7/files/a/b')).toMatchObject({ seen: ['/service/7/files/a/b'] })
    expect(await ask('/app/7/files')).toMatchObject({ seen: ['/service/7/files'] })
    expect(await ask('/app/7/filesystem')).toMatchObject({ status: 404, seen: [] })
    expect(await ask('/app/7/8/files/a')).toMatchObject({ status: 404, seen: [] })
    expect(await ask('/app//files/a')).toMatchObject({ status: 404, seen: [] })
  })
})

describe('a query', () => {
  it.each([
    '?',
    '?a=b&a=c&&=&%41=%61',
    '?q=%2e%2e%2f..%5c%00/../x',
    '?a=[1]{2}|3\\4^5`6"7<8>',
    "?x=!$&'()*+,;:@/?-._~",
    '?%zz=%',
    '?a?b',
    '?signature=A%2BB%2F%3D%3D&access_token=eyJ.a.b',
  ])('passes byte for byte: %s', async (query) => {
    expect(await ask(`/v1/models${query}`)).toMatchObject({
      status: 200,
      seen: [`/base/v1/models${query}`],
    })
  })

  it('may be long', async () => {
    const target = `/v1/models?q=${'x'.repeat(8000)}`
    expect(await ask(target)).toMatchObject({ status: 200, seen: [`/base${target}`] })
  })

  it('is refused when it is not ASCII', async () => {
    expect(await ask('/v1/models?q=\u00fc')).toMatchObject({ status: 400, seen: [] })
  })
})

describe('OPTIONS', () => {
  it('takes no asterisk', async () => {
    const { response } = await rawRequest({ port: gateway.port, send: head('OPTIONS *') })
    expect(response.status).toBe(400)
  })
})

describe('a refused target', () => {
  it('leaves its connection fit for the next request', async () => {
    const { responses } = await rawRequest({
      port: gateway.port,
      send: get('/v1/../x') + get('/nowhere') + get('/v1/models'),
      responses: 3,
    })
    expect(responses.map(({ status }) => status)).toEqual([400, 404, 200])
  })
})
