import { describe, expect, it } from 'vitest'
import { check, file, problemsOf, settingsOf, warningsOf } from './check.fixture.ts'
import type { UpstreamSettings } from './settings.ts'

const two = '[{ url: "https://a.example/v1" }, { url: "https://b.example/v1" }]'

/** One upstream with two endpoints. */
function balanced(upstream: string, protocol = 'openai'): string {
  return file({ upstream, protocol }).replace('[{ url: "https://api.openai.com/v1" }]', two)
}

async function upstreamOf(yaml: string, env = {}): Promise<UpstreamSettings> {
  const [upstream] = settingsOf(await check(yaml, env)).upstreams
  if (upstream === undefined) throw new Error('no upstream')
  return upstream
}

describe('an upstream', () => {
  it('repeats, breaks and queues by default, and does not hedge', async () => {
    expect(await upstreamOf(file())).toMatchObject({
      endpoints: [{ weight: 1 }],
      models: new Map(),
      retry: {
        retries: 2,
        initial: 200,
        max: 5000,
        bodyLimit: 1_048_576,
        budget: 0.2,
        budgetFloor: 10,
      },
      breaker: { failures: 5, openFor: 30_000 },
      concurrency: { max: 1024, queue: 1024 },
      hedge: undefined,
    })
  })

  it('may say all of it', async () => {
    const yaml = balanced(`models: { fast: gpt-4o-mini, "org/model:1": gpt-4o }
retry: { retries: 5, initial: 10ms, max: 1s, bodyLimit: 64kb, budget: 50%, budgetFloor: 0 }
breaker: { failures: 1, openFor: 5s }
concurrency: { max: 1, queue: 0 }
hedge: { after: 2s, budget: 1% }`).replace('b.example/v1"', `b.example/v1", weight: "\${WEIGHT}"`)
    expect(await upstreamOf(yaml, { WEIGHT: '0.25' })).toMatchObject({
      endpoints: [{ weight: 1 }, { weight: 0.25 }],
      models: new Map([
        ['fast', 'gpt-4o-mini'],
        ['org/model:1', 'gpt-4o'],
      ]),
      retry: {
        ...{ retries: 5, initial: 10, max: 1000, bodyLimit: 65_536, budget: 0.5, budgetFloor: 0 },
      },
      breaker: { failures: 1, openFor: 5000 },
      concurrency: { max: 1, queue: 0 },
      hedge: { after: 2000, budget: 0.01 },
    })
  })

  it('completes what is said in part', async () => {
    const yaml = balanced(`retry: { max: 100ms }
breaker: {}
concurrency: { queue: 5 }
hedge: { after: p95 }`)
    const upstream = await upstreamOf(yaml)
    expect(upstream.retry).toMatchObject({ retries: 2, initial: 100, max: 100 })
    expect(upstream.breaker).toEqual({ failures: 5, openFor: 30_000 })
    expect(upstream.concurrency).toEqual({ max: 1024, queue: 5 })
    expect(upstream.hedge).toEqual({ after: 'p95', budget: 0.05 })
  })

  it.each(['off', 'false'])('switches each of them off with %s', async (off) => {
    const keys = ['retry', 'breaker', 'concurrency', 'hedge']
    const upstream = await upstreamOf(
      file({ upstream: keys.map((key) => `${key}: ${off}`).join('\n') }),
    )
    expect(upstream.retry).toMatchObject({ retries: 0, bodyLimit: 1_048_576, budget: 0.2 })
    expect(upstream.breaker).toBeUndefined()
    expect(upstream.concurrency).toEqual({ max: Number.MAX_SAFE_INTEGER, queue: 0 })
    expect(upstream.hedge).toBeUndefined()
  })

  it('is not refused for a default that another value overtakes', async () => {
    const upstream = 'timeouts: { total: 30s }\nretry: { max: 50ms }'
    const checked = await check(file({ upstream }))
    expect(settingsOf(checked).upstreams[0]?.timeouts).toMatchObject({ total: 30_000 })
    expect(warningsOf(checked)).toEqual([])
  })

  it.each([
    ['retry: { retries: 6 }', 'retry.retries: expected a whole number from 0 to 5, got 6'],
    ['retry: { retires: 1 }', 'retry.retires: unknown key (did you mean "retries"?)'],
    ['retry: 3', 'retry: expected off or a mapping of keys to values, got 3'],
    [
      'retry: { initial: 10s, max: 1s }',
      'retry.initial: is longer than max, which is 1s; lower it or raise max',
    ],
    [
      'retry: { initial: 6s }',
      'retry.initial: is longer than max, which is 5s; lower it or raise max',
    ],
    [
      'retry: { budget: 20 }',
      'retry.budget: expected a percentage such as 5%, got 20 (did you mean "20%"?)',
    ],
    [
      'hedge: { after: p95, budget: 101% }',
      'hedge.budget: expected a percentage such as 5%, got "101%"',
    ],
    [
      'breaker: { failures: 0 }',
      'breaker.failures: expected a whole number from 1 to 10000, got 0',
    ],
    ['breaker: on', 'breaker: expected off or a mapping of keys to values, got "on"'],
    [
      'breaker: { openFor: 0 }',
      'breaker.openFor: expected a duration such as 30s of at least 1ms and at most 1d, got 0',
    ],
    [
      'concurrency: { max: 0 }',
      'concurrency.max: expected a whole number from 1 to 1000000, got 0',
    ],
    [
      'concurrency: { queue: -1 }',
      'concurrency.queue: expected a whole number from 0 to 1000000, got -1',
    ],
    [
      'hedge: { budget: 5% }',
      'hedge.after: is required: expected off or p95 or a duration such as 30s of at least 1ms and at most 1d',
    ],
    [
      'hedge: { after: p99 }',
      'hedge.after: expected off or p95 or a duration such as 30s of at least 1ms and at most 1d, got "p99" (did you mean "p95"?)',
    ],
    [
      'hedge: { after: 1m }',
      'hedge.after: is not shorter than timeouts.firstByte, which is 1m, so that there would never be a hedge; lower it or raise firstByte',
    ],
    [
      'timeouts: { firstByte: 2m, total: 1m }',
      'timeouts.firstByte: is longer than total, which is 1m, and would never be reached; lower it or raise total',
    ],
    ['models: { fast: "" }', 'models.fast: has no value: expected text'],
    ['models: { fast: 4 }', 'models.fast: expected text, got a number; put it in quotes'],
    ['models: [fast]', 'models: expected a mapping of keys to values, got a list'],
  ])('refuses %s', async (upstream, message) => {
    const checked = await check(balanced(upstream))
    expect(problemsOf(checked)).toEqual([
      expect.stringMatching(/^tidegate\.yaml:7:\d+: upstreams\.openai\./),
    ])
    expect(problemsOf(checked)[0]).toContain(message)
    expect(checked.settings).toBeUndefined()
  })

  it.each([
    ['0', 'expected a number of at least 0.001, got 0'],
    ['1001', 'expected a number of at most 1000, got 1001'],
    ['heavy', 'expected a number, got text'],
    ['.inf', 'expected a number'],
  ])('refuses the weight %s', async (weight, message) => {
    const yaml = balanced('').replace('b.example/v1"', `b.example/v1", weight: ${weight}`)
    const problems = problemsOf(await check(yaml))
    expect(problems).toEqual([expect.stringContaining(`endpoints[1].weight: ${message}`)])
  })

  it('refuses aliases where bodies pass as they are', async () => {
    const yaml = file({ protocol: 'http', upstream: 'models: { fast: small }' })
    expect(problemsOf(await check(yaml))).toEqual([
      expect.stringMatching(
        /^tidegate\.yaml:\d+:13: upstreams\.openai\.models: bodies pass as they/,
      ),
    ])
  })

  it.each(['upstreams', 'failures', 'process', 'components'])('is not named %s', async (name) => {
    const checked = await check(
      file().replaceAll('openai:', `${name}:`).replace('[openai]', `[${name}]`),
    )
    expect(problemsOf(checked)).toEqual([
      expect.stringContaining(`/health/${name} tells of something else; rename it (did you mean`),
    ])
  })

  it('is warned of an endpoint that is there twice, unless it has another key', async () => {
    const twice = (more = '') =>
      balanced('').replace('https://b.example/v1"', `https://A.example:443/v1/"${more}`)
    expect(warningsOf(await check(twice()))).toEqual([
      expect.stringContaining('endpoints[0] is the same'),
    ])
    expect(warningsOf(await check(twice(', apiKey: CANARY')))).toEqual([])
  })

  it('is warned of names that rename nothing, and of a hedge with nowhere to go', async () => {
    const upstream = 'models: { a: a, b: c }\nhedge: { after: p95 }'
    const warnings = warningsOf(await check(file({ upstream })))
    expect(warnings).toEqual([
      expect.stringContaining('upstreams.openai.models.a: renames the model to what it is'),
      expect.stringContaining('upstreams.openai.hedge.after: has no effect, as there is no second'),
    ])
    expect(warningsOf(await check(balanced(upstream)))).toHaveLength(1)
    expect(
      warningsOf(await check(file({ upstream: 'hedge: { after: off, budget: 5% }' }))),
    ).toEqual([])
  })
})

/** Two upstreams that a route names in this order. */
function failover(first: string, second: string, route = ''): string {
  const second_ = `  second: { endpoints: [{ url: "https://b.example" }], ${second} }\nroutes:`
  return file({ route })
    .replace('protocol: openai', first)
    .replace('routes:', second_)
    .replace('[openai]', '[openai, second]')
}

describe('a route', () => {
  const openai = 'protocol: openai'

  it('names several upstreams in their order', async () => {
    const checked = await check(failover(openai, openai, 'stream: { holdBack: full }'))
    expect(settingsOf(checked).routes).toMatchObject([
      { upstreams: ['openai', 'second'], holdBack: 'full' },
    ])
  })

  it('takes upstreams of one protocol only', async () => {
    expect(problemsOf(await check(failover(openai, 'protocol: anthropic')))).toEqual([
      "tidegate.yaml:11:16: routes[0].upstreams: a route's upstreams must speak one protocol, and these speak openai and anthropic; failing over from one to another would need bodies to be translated",
    ])
  })

  it('names no upstream twice', async () => {
    const yaml = file().replace('[openai]', '[openai, openai]')
    expect(problemsOf(await check(yaml))).toEqual([
      expect.stringMatching(
        /^tidegate\.yaml:\d+:25: routes\[0\]\.upstreams\[1\]: "openai" is on this/,
      ),
    ])
  })

  it.each([
    ['off', 'off'],
    ['full', 'full'],
    ['1', 1],
    ['10000', 10_000],
  ])('holds back %s', async (written, expected) => {
    const checked = await check(file({ route: `stream: { holdBack: ${written} }` }))
    expect(settingsOf(checked).routes[0]?.holdBack).toBe(expected)
  })

  it.each(['0', '10001', '1.5', '1s', 'ful', 'true'])('does not hold back %s', async (written) => {
    const checked = await check(file({ route: `stream: { holdBack: ${written} }` }))
    expect(problemsOf(checked)).toEqual([
      expect.stringMatching(
        /routes\[0\]\.stream\.holdBack: expected off or full or a whole number from 1 to 10000, got/,
      ),
    ])
  })

  it('holds nothing back on protocol http', async () => {
    const yaml = file({ protocol: 'http', route: 'stream: { holdBack: full }' })
    expect(problemsOf(await check(yaml))).toEqual([
      expect.stringContaining(
        'routes[0].stream.holdBack: streams of protocol http pass as they are',
      ),
    ])
    const off = file({ protocol: 'http', route: 'stream: { holdBack: off }' })
    settingsOf(await check(off))
  })

  it("is warned where a client's own credential may end up elsewhere", async () => {
    const warned = warningsOf(await check(failover(openai, openai)))
    expect(warned).toEqual([
      expect.stringContaining('whichever upstream answers, api.openai.com or b.example, as they'),
    ])
    const keys = `${failover(openai, openai)}auth: { keys: [{ id: a, key: k }] }\n`
    expect(warningsOf(await check(keys))).toEqual([])
    const local = failover(openai, openai).replace('https://b.example', 'http://localhost:1')
    expect(warningsOf(await check(local))).toEqual([])
    const lent = failover(openai, openai).replace('b.example"', 'b.example", apiKey: CANARY')
    expect(warningsOf(await check(lent))).toEqual([])
    expect(warningsOf(await check(failover('protocol: http', 'protocol: http')))).toEqual([])
  })
})
