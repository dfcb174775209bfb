import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  check,
  checkEnvironment,
  file,
  problemsOf,
  settingsOf,
  warningsOf,
} from './check.fixture.ts'

/** Everything that rules look at, and nothing wrong with it. */
const tree = {
  version: 1,
  server: { host: '0.0.0.0', cors: { origins: ['https://a.example'] }, keepAlive: '30s' },
  admin: { key: 'an admin key of some length' },
  logging: { level: 'info', file: { path: 'logs/gateway.log', keep: 3 } },
  upstreams: {
    openai: upstream({ apiKey: 'one' }),
    local: upstream({}),
    service: upstream({ apiKey: 'two' }),
    lent: upstream({ apiKey: 'three' }),
    spare: { ...upstream({}), timeouts: { idle: '5s' } },
    model: {
      protocol: 'openai',
      endpoints: [
        { url: 'https://model.example/v1', weight: 3 },
        { url: 'https://other.example/v1', apiKey: 'four' },
      ],
      models: { fast: 'small', good: 'large' },
      timeouts: { firstByte: '20s', total: '1m' },
      retry: { retries: 1, initial: '1s', max: '9s', budget: '10%' },
      breaker: { failures: 3, openFor: '10s' },
      concurrency: { max: 10, queue: 0 },
      hedge: { after: 'p95', budget: '5%' },
    },
    'model-2': { protocol: 'openai', endpoints: [{ url: 'https://c.example', apiKey: 'five' }] },
    claude: { protocol: 'anthropic', endpoints: [{ url: 'https://d.example', apiKey: 'six' }] },
  },
  routes: [
    { match: '/a/**', upstreams: ['openai'], validate: { schema: { type: 'object' } } },
    { match: '/b/**', upstreams: ['local'], auth: 'required' },
    { match: '/c/**', upstreams: ['service'], stripPrefix: '/c' },
    { match: '/d/**', upstreams: ['lent'], validate: { contentType: ['application/json'] } },
    { match: '/e/*', upstreams: 'spare', auth: 'none' },
    {
      match: '/f/**',
      upstreams: ['model', 'model-2'],
      stream: { holdBack: 20 },
      limits: ['per-ip'],
    },
    { match: '/g/**', upstreams: ['claude'], limits: ['per-ip', 'per-key', 'tier'] },
  ],
  redis: { url: 'rediss://redis.example', password: 'of redis', timeout: '2s', prefix: 'tide' },
  limits: {
    'per-ip': { by: 'ip', rate: '100/1m', burst: 10, precision: 'leased' },
    'per-key': { by: 'key', rate: '5/1s', algorithm: 'fixed-window', onStoreError: 'deny' },
  },
  tiers: {
    default: { requests: '60/1m', burst: 5, tokens: '40k/1m', concurrent: 5 },
    pro: { requests: '600/1m', shadow: true },
  },
  sessions: { max: 3, ttl: '20m' },
  auth: {
    keys: [
      { id: 'a', key: 'the first key of all', tier: 'pro' },
      { id: 'b', key: 'the second key of all' },
      { id: 'c', sha256: 'ab'.repeat(32) },
      { id: 'd', key: 'the fourth key of all' },
      { id: 'e', sha256: 'cd'.repeat(32) },
    ],
  },
}

function upstream({ apiKey }: { readonly apiKey?: string }) {
  return { protocol: 'http', endpoints: [{ url: 'http://localhost:1', ...(apiKey && { apiKey }) }] }
}

type Path = readonly (string | number)[]
type Change = readonly [path: Path, value: unknown]

async function findingsOf(changes: readonly Change[]) {
  const changed: unknown = structuredClone(tree)
  for (const [path, value] of changes) {
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((at, key) => Reflect.get(Object(at), key), changed)
    if (typeof parent === 'object' && parent !== null) Reflect.set(parent, path.at(-1) ?? '', value)
  }
  const { report } = await check(JSON.stringify(changed))
  const say = ({ path, message }: { path: string; message: string }) => `${path}: ${message}`
  const codes = new Set(report.problems.map(({ code }) => code))
  return { problems: report.problems.map(say), warnings: report.warnings.map(say), codes }
}

/** Each is wrong by itself, and none takes from another what that one is judged by. */
const breakages: readonly Change[] = [
  [['version'], 2],
  [['sever'], {}],
  [['server', 'prot'], 8000],
  [['server', 'keepAlive'], 'soon'],
  [
    ['server', 'trustedProxies'],
    ['10.0.0.0/99', 'x'],
  ],
  [['server', 'cors', 'origins', 1], 'example.com'],
  [['server', 'tls'], { certFile: 'absent.pem', keyFile: 5 }],
  [['logging', 'level'], 'inof'],
  [['logging', 'file', 'path'], 'tidegate.yaml/gateway.log'],
  [['logging', 'file', 'keep'], 0],
  [['redis', 'url'], 'http://x'],
  [['redis', 'timeout'], 0],
  [['redis', 'prefix'], '{tide}'],
  [['redis', 'tls'], { caFile: 'absent.pem' }],
  [['limits', 'per-ip', 'rate'], '100 a minute'],
  [['limits', 'per-ip', 'precision'], 'exactly'],
  [['limits', 'per-key', 'burst'], 5],
  [['limits', 'tier'], { by: 'ip', rate: '1/1s' }],
  [['tiers', 'default', 'requests'], '0/1m'],
  [['tiers', 'pro', 'shadow'], 'perhaps'],
  [['tiers', 'pro', 'tokens'], '40k'],
  [['sessions', 'max'], 0],
  [['sessions', 'tll'], '1h'],
  [['upstreams', 'openai', 'endpoints', 0, 'url'], 'api.openai.com'],
  [['upstreams', 'openai', 'timeouts'], { idle: 'soon' }],
  [['upstreams', 'local', 'models'], { fast: 'small' }],
  [['upstreams', 'service', 'protocol'], 'htpp'],
  [['upstreams', 'spare', 'retry'], { retries: 9, intial: '1s' }],
  [['upstreams', 'model', 'endpoints', 0, 'weight'], 0],
  [['upstreams', 'model', 'models', 'fast'], 4],
  [['upstreams', 'model', 'timeouts', 'firstByte'], '2m'],
  [['upstreams', 'model', 'retry', 'initial'], '10s'],
  [['upstreams', 'model', 'retry', 'budget'], 20],
  [['upstreams', 'model', 'breaker'], true],
  [['upstreams', 'model', 'concurrency', 'queue'], -1],
  [['upstreams', 'model', 'hedge', 'after'], 'p99'],
  [['routes', 0, 'match'], 'a'],
  [['routes', 0, 'upstreams', 1], 'opnai'],
  [['routes', 0, 'validate', 'schema'], { type: 'objekt' }],
  [['routes', 0, 'validate', 'required'], ['a..b']],
  [['routes', 1, 'auth'], 'requird'],
  [['routes', 1, 'upstreams', 1], 'nobody'],
  [['routes', 2, 'stripPrefix'], '/x'],
  [['routes', 3, 'auth'], 'optional'],
  [['routes', 3, 'validate'], { schema: { type: 'objekt' }, contentType: ['json'] }],
  [['routes', 4, 'match'], undefined],
  [['routes', 5, 'upstreams', 2], 'claude'],
  [['routes', 5, 'stream', 'holdBack'], 0],
  [['routes', 6, 'upstreams', 1], 'claude'],
  [['routes', 6, 'limits', 3], 'per-pi'],
  [['routes', 5, 'limits', 1], 'per-ip'],
  [['routes', 7], 'x'],
  [['auth', 'keys', 0, 'id'], 'a b'],
  [['auth', 'keys', 1, 'id'], 'c'],
  [['auth', 'keys', 1, 'key'], tree.admin.key],
  [['auth', 'keys', 2, 'key'], 'a key beside a digest'],
  [['auth', 'keys', 3, 'key'], undefined],
  [['auth', 'keys', 4, 'id'], 5],
  [['auth', 'keys', 4, 'tier'], 'por'],
  [['auth', 'keys', 4, 'sha256'], 'CD'.repeat(31)],
  [['auth', 'jwt'], { issuer: 'x' }],
]

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  // What a JSON Schema may hold is its compiler's affair.
  if (path.at(-1) === 'schema') return [path]
  const below = Object.entries(value).flatMap(([key, item]) =>
    pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  )
  return path.length === 0 ? below : [path, ...below]
}

describe('one round', () => {
  it('begins with a configuration that is right', async () => {
    expect(await findingsOf([])).toEqual({ problems: [], warnings: [], codes: new Set() })
  })

  it('shows all that is wrong, and nothing that each alone does not show', async () => {
    const alone = new Map<Change, Awaited<ReturnType<typeof findingsOf>>>()
    for (const change of breakages) alone.set(change, await findingsOf([change]))
    expect([...alone].filter(([, { problems }]) => problems.length === 0)).toEqual([])
    const property = fc.asyncProperty(
      fc.shuffledSubarray([...breakages], { minLength: 1 }),
      async (chosen) => {
        const { problems, warnings } = await findingsOf(chosen)
        const singles = chosen.flatMap((change) => alone.get(change) ?? [])
        expect(problems.sort()).toEqual([...new Set(singles.flatMap((one) => one.problems))].sort())
        const expected = singles.flatMap((one) => one.warnings)
        expect(warnings.filter((warning) => !expected.includes(warning))).toEqual([])
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })

  it('shows nothing that only follows from what is wrong, whatever that is', async () => {
    const spoilt = fc.shuffledSubarray(
      pathsOf(tree).map((path): Change => [path, [[]]]),
      { minLength: 1, maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(spoilt, async (changes) => {
        const { problems, warnings, codes } = await findingsOf(changes)
        expect(problems).not.toEqual([])
        expect(codes).not.toContain('refused')
        expect(warnings).toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  it('is one round with the environment as well', async () => {
    const env = { OPENAI_API_KEY: 'a\u0007', BACKEND_SERVICE_URL: 'x', ANTHROPIC_API_KEY: 'k' }
    const problems = problemsOf(await checkEnvironment({ ...env, HOST: '0.0.0.0', DEBUG: 'x' }))
    expect(problems).toEqual([
      'DEBUG: expected true or false, got "x"',
      'OPENAI_API_KEY: must hold no control character',
      'BACKEND_SERVICE_URL: expected an address such as https://api.example.com/v1',
      expect.stringMatching(/^ANTHROPIC_API_KEY: .*spend the apiKey of upstream anthropic/),
    ])
  })

  it('speaks of nothing but the file when that is none', async () => {
    expect(problemsOf(await check('routes: ['))).toHaveLength(1)
    expect(problemsOf(await check('- a', { PORT: 'x' }))).toHaveLength(2)
  })

  it('knows a key whose variable is not set for a key', async () => {
    const top = `auth: { keys: [{ id: a, key: "\${NOPE}" }] }`
    const checked = await check(file({ top, route: 'auth: required' }))
    expect(problemsOf(checked)).toEqual([expect.stringContaining('the variable NOPE is not set')])
    expect(warningsOf(checked)).toEqual([])
    settingsOf(await check(file({ top, route: 'auth: required' }), { NOPE: 'a key' }))
  })
})
