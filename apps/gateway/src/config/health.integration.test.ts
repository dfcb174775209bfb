import { describe, expect, it } from 'vitest'
import { check, checkEnvironment, file, problemsOf, settingsOf } from './check.fixture.ts'

const of = async (health: string, env = {}) =>
  settingsOf(await check(file({ top: `health: ${health}` }), env)).health
const faults = async (health: string, upstream = 'openai') =>
  problemsOf(await check(file({ top: `health: ${health}` }).replaceAll('openai:', `${upstream}:`)))

describe('health', () => {
  it('looks at nothing but the machine, and sheds nothing, unless something is said of it', async () => {
    const nothing = { interval: 15_000, checks: [], required: [], shedding: undefined }
    expect(settingsOf(await check(file())).health).toEqual(nothing)
    expect(settingsOf(await checkEnvironment({})).health).toEqual(nothing)
  })

  it('looks at what variables name, with and without a file', async () => {
    const env = { MONGODB_URI: 'mongodb://ada:p@a.example,b.example:27018/', PINECONE_API_KEY: 'k' }
    for (const checked of [await check(file(), env), await checkEnvironment(env)]) {
      const { checks } = settingsOf(checked).health
      expect(checks.map(({ name, target, critical }) => [name, target.kind, critical])).toEqual([
        ['mongodb', 'mongodb', false],
        ['pinecone', 'pinecone', false],
      ])
    }
  })

  it('prefers a check of the file to the variable of its name', async () => {
    const env = { MONGODB_URI: 'mongodb://a.example/' }
    const { checks } = await of(
      '{ checks: { mongodb: { mongodb: "mongodb://b.example/", critical: true, interval: 1m } } }',
      env,
    )
    expect(checks).toMatchObject([{ name: 'mongodb', critical: true, interval: 60_000 }])
  })

  it('knows what each kind of check needs', async () => {
    const { checks } = await of(
      `{ interval: 5s, checks: {
        site: { url: "https://a.example/?key=1", expectStatus: [200, 204], expectBody: ok, headers: { x-key: v }, slow: 1s },
        store: { redis: "rediss://:p@r.example:6380" },
        vectors: { pinecone: pc-1, url: "http://127.0.0.1:1", index: docs } } }`,
    )
    expect(checks.map(({ target, ...options }) => ({ ...options, kind: target.kind }))).toEqual(
      [
        ['site', 'http', 1_000],
        ['store', 'redis', undefined],
        ['vectors', 'pinecone', undefined],
      ].map(([name, kind, slow]) => ({
        ...{ name, kind, slow },
        ...{ critical: false, timeout: 5_000, interval: 5_000 },
      })),
    )
    expect(checks[0]?.target).toMatchObject({ expectStatus: [200, 204], expectBody: 'ok' })
    expect(checks[2]?.target).toMatchObject({ url: 'http://127.0.0.1:1', index: 'docs' })
  })

  it.each([
    ['nothing to look at', '{ checks: { a: {} } }', 'looks at nothing'],
    ['two things', '{ checks: { a: { mongodb: "mongodb://h", pinecone: k } } }', 'several things'],
    ['a url besides', '{ checks: { a: { redis: "redis://h", url: "http://h" } } }', 'has a url'],
    [
      'an expectation of none',
      '{ checks: { a: { pinecone: k, expectStatus: 200 } } }',
      'belong to a url',
    ],
    ['an index of none', '{ checks: { a: { url: "http://h", index: i } } }', 'belongs to pinecone'],
    ['a taken name', '{ checks: { redis: { url: "http://h" } } }', 'is taken'],
    ['the name of an upstream', '{ checks: { openai: { url: "http://h" } } }', 'is taken'],
    [
      'a header that is none',
      '{ checks: { a: { url: "http://h", headers: { "a b": v } } } }',
      'header',
    ],
    ['an interval too short', '{ interval: 10ms }', 'health.interval'],
    ['a delay that is none', '{ shedding: { maxDelay: soon } }', 'maxDelay'],
  ])('refuses %s', async (_, health, said) => {
    const problems = await faults(health)
    expect(problems.join('\n')).toContain(said)
  })

  it('shows no secret of what it refuses', async () => {
    const checks = [
      '{ mongodb: "other://ada:hunter2@h" }',
      '{ pinecone: "hunter2 ä" }',
      '{ checks: { a: { redis: "other://ada:hunter2@h" } } }',
      '{ checks: { a: { url: "ftp://ada:hunter2@h/?hunter2" } } }',
      '{ checks: { a: { url: "http://h", headers: { x: "hunter2 ä" } } } }',
    ]
    for (const health of checks) {
      const problems = await faults(health)
      expect(problems).toHaveLength(1)
      expect(problems.join()).not.toContain('hunter2')
    }
  })

  it('refuses an upstream with the name of what stands beside it', async () => {
    expect((await faults('{}', 'memory')).join()).toContain('is taken')
    const own = '{ pinecone: k }'
    expect((await faults(own, 'pinecone')).join()).toContain('is taken')
    expect((await faults('{}', 'pinecone')).join()).not.toContain('is taken')
  })

  it('sheds load when told to', async () => {
    expect((await of('{ shedding: {} }')).shedding).toEqual({ maxDelay: 500 })
    const both = '{ shedding: { maxDelay: 1s, maxUtilization: 99% } }'
    expect((await of(both)).shedding).toEqual({ maxDelay: 1_000, maxUtilization: 0.99 })
    expect((await of('{ shedding: off }')).shedding).toBeUndefined()
  })
})
