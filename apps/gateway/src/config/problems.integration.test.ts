import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isConfigError } from '@tidegate/config'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { check, file, folder, problemsOf } from './check.fixture.ts'
import { checkSettings, loadSettings } from './load.ts'
import { describeProblem } from './report.ts'

describe('problems', () => {
  it('come all at once, with line and suggestion', async () => {
    const checked = await check(`version: 1
server:
  prot: 8000
  keepAlive: soon
upstreams:
  openai: { protocol: openia, endpoints: [{ url: "api.openai.com" }] }
routes:
  - { match: v1, upstreams: [openai] }
  - { match: /health, upstreams: [] }
`)
    expect(checked.settings).toBeUndefined()
    const problems = problemsOf(checked)
    expect(problems).toHaveLength(7)
    expect(problems.join('\n')).toMatchInlineSnapshot(`
      "tidegate.yaml:3:3: server.prot: unknown key (did you mean "port"?)
      tidegate.yaml:4:14: server.keepAlive: expected a duration such as 30s of at least 1s and at most 1d, got "soon"
      tidegate.yaml:6:23: upstreams.openai.protocol: expected openai, anthropic or http, got "openia" (did you mean "openai"?)
      tidegate.yaml:6:50: upstreams.openai.endpoints[0].url: expected an address such as https://api.example.com/v1
      tidegate.yaml:8:14: routes[0].match: must begin with "/"
      tidegate.yaml:9:14: routes[1].match: can't be at or below /health, which the gateway itself answers
      tidegate.yaml:9:34: routes[1].upstreams: names no upstream"
    `)
  })

  it.each([
    ['an unknown upstream', { route: 'upstreams: [opnai]' }, 'there is no upstream "opnai"'],
    ['a prefix that is none', { route: 'stripPrefix: /v2' }, 'such as "/v1"'],
    ['required without keys', { route: 'auth: required' }, 'nobody could pass'],
    ['an unknown mode', { route: 'auth: requird' }, 'did you mean "required"?'],
    ['a wrong content type', { route: 'validate: { contentType: [json] }' }, 'application/json'],
    ['an empty key', { top: 'auth: { keys: [{ id: a, key: "" }] }' }, 'neither key nor sha256'],
    ['a missing variable', { top: `auth: { keys: [{ id: a, key: "\${NOPE}" }] }` }, 'NOPE'],
    ['space around a key', { top: 'auth: { keys: [{ id: a, key: " k" }] }' }, 'white space'],
    ['a control character', { top: 'auth: { keys: [{ id: a, key: "k\\u0001y" }] }' }, 'control'],
    ['a short digest', { top: 'auth: { keys: [{ id: a, sha256: "9f86d0…" }] }' }, '64 hexadecimal'],
    ['a bad id', { top: 'auth: { keys: [{ id: "a b", key: k }] }' }, 'as it stands in logs'],
    ['a bad network', { top: 'server: { trustedProxies: [10.0.0.0/99] }' }, 'not a network'],
    ['a bad origin', { top: 'server: { cors: { origins: [example.com] } }' }, 'not an origin'],
    ['a bad host', { top: 'server: { host: "http://x" }' }, 'without scheme'],
    ['a bad port', { top: 'server: { port: 65536 }' }, 'a port from 0 to 65535'],
    ['no size', { top: 'server: { bodyLimit: 10 megs }' }, 'a size such as 10mb'],
    ['no certificate', { top: 'server: { tls: { certFile: a, keyFile: b } }' }, 'no such file'],
    ['no JSON Schema', { route: 'validate: { schema: { type: objekt } }' }, 'routes[0].validate'],
    ['an unknown key', { top: 'loging: {}' }, 'did you mean "logging"?'],
  ])('name %s', async (_, parts, expected) => {
    const yaml = file(parts).replace(
      'upstreams: [openai]\n    upstreams: [opnai]',
      'upstreams: [opnai]',
    )
    expect(problemsOf(await check(yaml)).join('\n')).toContain(expected)
  })

  it.each([
    ['workers', { top: 'server: { workers: auto }' }],
    ['resume', { route: 'stream: { resume: 1m }' }],
  ])('say that %s is not built yet', async (_, parts) => {
    const checked = await check(file(parts))
    expect(checked.report.problems.map(({ code }) => code)).toEqual(['not_built_yet'])
    expect(problemsOf(checked)[0]).toContain('is not built yet')
  })

  it('name keys and ids that are there twice, plain or hashed, and the admin key among them', async () => {
    const digest = createHash('sha256').update('CANARY-one').digest('hex')
    const yaml = file({
      top: `admin: { key: CANARY-two }
auth:
  keys:
    - { id: a, key: CANARY-one }
    - { id: a, sha256: ${digest} }
    - { id: b, key: CANARY-two }`,
    })
    const problems = problemsOf(await check(yaml))
    expect(problems).toHaveLength(3)
    expect(problems[0]).toContain('auth.keys[1]: this is the same key')
    expect(problems[1]).toContain('auth.keys[0] has this id already')
    expect(problems[2]).toContain('admin key too')
    expect(problems.join()).not.toContain('CANARY')
  })

  it('say that a certificate and a key are none', async () => {
    writeFileSync(join(folder, 'cert.pem'), 'CANARY')
    const tls = 'server: { tls: { certFile: cert.pem, keyFile: cert.pem } }'
    expect(problemsOf(await check(file({ top: tls })))).toEqual([
      'tidegate.yaml:2:16: server.tls: the files are not a certificate and the private key that belongs to it (PEM)',
    ])
  })

  it('are a ConfigError when loaded', async () => {
    writeFileSync(join(folder, 'bad.yaml'), 'version: 2')
    const loading = loadSettings({ env: {}, file: 'bad.yaml', cwd: folder })
    await expect(loading).rejects.toThrow('bad.yaml:1:10  version: expected 1')
    await expect(loading).rejects.toSatisfy(isConfigError)
  })

  it('say that there is no such file', async () => {
    const checked = await checkSettings({ env: {}, file: 'absent.yaml', cwd: folder })
    expect(problemsOf(checked)[0]).toContain('absent.yaml')
    expect(problemsOf(checked)[0]).toContain('does not exist')
  })

  it('are what any other content has, and never a fault of ours', async () => {
    const scalar = fc.oneof(
      fc.constantFrom(
        'constructor',
        '__proto__',
        'openai',
        '/v1/**',
        '/',
        '*',
        'off',
        1,
        true,
        null,
      ),
      fc.string(),
    )
    const value = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, scalar, fc.array(tie('value')), tie('mapping')),
      mapping: fc.dictionary(fc.constantFrom(...keysOfContract, 'constructor'), tie('value')),
    }))
    const route = fc.record({ match: scalar, upstreams: fc.array(scalar), stripPrefix: scalar })
    const whole = fc.record(
      {
        upstreams: value.value,
        routes: fc.oneof(value.value, fc.array(route)),
        server: value.mapping,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(whole, async (content) => {
        const { report } = await check(
          JSON.stringify({ version: 1, upstreams: knownUpstreams, ...content }),
        )
        for (const line of [...report.problems, ...report.warnings]) {
          expect(describeProblem(line)).toMatch(/^tidegate\.yaml:\d+:\d+: [^\n]+$/)
        }
      }),
      { numRuns: 150 },
    )
  })
})

const keysOfContract = [
  ...[
    'protocol',
    'endpoints',
    'url',
    'apiKey',
    'timeouts',
    'retry',
    'hedge',
    'host',
    'port',
    'tls',
  ],
  ...['cors', 'origins', 'trustedProxies', 'certFile', 'keyFile', 'match', 'upstreams', 'validate'],
]

const knownUpstreams = {
  openai: { protocol: 'http', endpoints: [{ url: 'http://x', apiKey: 'k' }] },
}
