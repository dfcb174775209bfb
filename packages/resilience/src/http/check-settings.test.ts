import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkClientSettings } from './check-settings.ts'
import { createEgress } from './egress.ts'
import type { HttpClientOptions } from './options.ts'
import { ClientSettingsError } from './settings-issue.ts'

const everything = {
  baseUrls: [
    'https://a.example',
    { url: 'http://10.0.0.1:8080/v1', weight: 0.5, priority: 1, host: 'b.example' },
  ],
  refreshMs: 1000,
  headers: { 'x-one': 'a', 'x-many': ['a', 'b'], 'x-none': undefined },
  auth: { bearer: { reveal: () => 'key' } },
  timeouts: { connectMs: 1, firstByteMs: 2, idleMs: Number.POSITIVE_INFINITY, totalMs: 3 },
  retry: {
    retries: 0,
    initial: 1,
    max: 1,
    multiplier: 1,
    statuses: [503],
    budget: { ratio: 0, perSecond: 0 },
  },
  breaker: { failures: 1, openForMs: 1 },
  bulkhead: { max: 1, queue: 0 },
  hedge: { after: { quantile: 0.95, initialMs: 50 }, ratio: 0.1 },
  connections: 1,
  keepAliveMs: 1,
  maxResponseBytes: 1,
  tls: { ca: 'pem', cert: 'pem', key: 'pem', servername: 'a.example' },
  egress: createEgress(),
  limit: () => ({ allowed: true }),
  cache: { get: () => undefined, set: () => undefined },
  onEvent: () => undefined,
  now: () => 0,
  random: () => 0,
} satisfies HttpClientOptions

const pathsOf = (options: unknown) => checkClientSettings(options).map(({ path }) => path)
const withUrl = (rest: object) => pathsOf({ baseUrls: 'http://a', ...rest })

describe('checkClientSettings', () => {
  it('has nothing against what a client can be made of', () => {
    expect(checkClientSettings(everything)).toEqual([])
    expect(
      withUrl({ retry: false, breaker: false, timeouts: { totalMs: 0, connectMs: 9 } }),
    ).toEqual([])
    expect(withUrl({ hedge: { after: 5 }, auth: { header: 'x-api-key', value: 'k' } })).toEqual([])
    expect(withUrl({ auth: { basic: { username: 'u', password: () => 'p' } } })).toEqual([])
    expect(pathsOf({ baseUrls: async () => [] })).toEqual([])
  })

  it('tells every issue at once, with the path of each', () => {
    const issues = checkClientSettings({
      baseUrls: ['nonsense', { url: 'ftp://a' }, { weight: -1 }, { url: 'http://b', weight: 0 }],
      timeouts: { connectMs: -1, firstByteMs: '5s', totalMs: Number.NaN },
      retry: { retries: 1.5, initial: -5, multiplier: 0.5, statuses: [200], budget: { ratio: 2 } },
      breaker: { failures: 0 },
      bulkhead: { max: 0, queue: -1 },
      hedge: { after: { quantile: 2, initialMs: 0 } },
      connections: 0,
      egress: {},
      cache: { get: 1 },
      onEvent: 'log',
      connetions: 5,
    })
    expect(issues.map(({ path }) => path)).toEqual([
      'baseUrls[0]',
      'baseUrls[1].url',
      'baseUrls[2].weight',
      'baseUrls[3].weight',
      'timeouts.connectMs',
      'timeouts.firstByteMs',
      'timeouts.totalMs',
      'retry.retries',
      'retry.initial',
      'retry.multiplier',
      'retry.statuses[0]',
      'retry.budget.ratio',
      'breaker.failures',
      'bulkhead.max',
      'bulkhead.queue',
      'hedge.after.quantile',
      'hedge.after.initialMs',
      'connections',
      'egress',
      'cache',
      'onEvent',
      'connetions',
    ])
    expect(issues.at(-1)?.suggestion).toBe('connections')
    const { message } = new ClientSettingsError(issues)
    expect(message.split('\n')).toHaveLength(issues.length + 1)
    expect(message).toContain(
      'connetions: is not a setting that exists (did you mean "connections"?)',
    )
  })

  it.each([
    ['timeouts', { conectMs: 1 }, 'connectMs'],
    ['timeouts', { connect: 1 }, 'connectMs'],
    ['retry', { retires: 1 }, 'retries'],
    ['breaker', { openFor: 1 }, 'openForMs'],
    ['bulkhead', { quue: 1 }, 'queue'],
    ['bulkhead', { somethingElse: 1 }, undefined],
    ['bulkhead', { toString: 1 }, undefined],
  ])('suggests for %s %j: %s', (name, value, suggestion) => {
    const [issue] = checkClientSettings({ baseUrls: 'http://a', [name]: value })
    expect([issue?.message, issue?.suggestion]).toEqual([
      'is not a setting that exists',
      suggestion,
    ])
  })

  it('tells limits that another limit makes pointless', () => {
    expect(withUrl({ timeouts: { connectMs: 20, firstByteMs: 30, totalMs: 10 } })).toEqual([
      'timeouts.connectMs',
      'timeouts.firstByteMs',
    ])
    expect(withUrl({ retry: { initial: 10, max: 5 } })).toEqual(['retry.initial'])
    expect(withUrl({ timeouts: { totalMs: 10 } })).toEqual([])
  })

  it.each([
    [{}, 'baseUrls'],
    [{ baseUrls: [] }, 'baseUrls'],
    [{ baseUrls: 7 }, 'baseUrls'],
    [{ baseUrls: [{}] }, 'baseUrls[0].url'],
    [{ baseUrls: 'http://user:secret@host' }, 'baseUrls'],
    [{ baseUrls: 'http://host?key=secret' }, 'baseUrls'],
    [{ baseUrls: 'http://a', headers: { 'a b': 'x' } }, 'headers.a b'],
    [{ baseUrls: 'http://a', headers: { a: 'secret\r\nb: c' } }, 'headers.a'],
    [{ baseUrls: 'http://a', headers: { a: 'sécret' } }, 'headers.a'],
    [{ baseUrls: 'http://a', auth: 'secret' }, 'auth'],
    [{ baseUrls: 'http://a', auth: { bearer: '' } }, 'auth.bearer'],
    [
      { baseUrls: 'http://a', auth: { basic: { username: 'a:b', password: 'secret' } } },
      'auth.basic.username',
    ],
    [{ baseUrls: 'http://a', tls: { cert: 'secret' } }, 'tls'],
    [{ baseUrls: 'http://a', timeouts: { idleMs: 2 ** 31 } }, 'timeouts.idleMs'],
  ])('refuses %j without quoting a text', (options, path) => {
    const issues = checkClientSettings(options)
    expect(issues.map((issue) => issue.path)).toEqual([path])
    expect(new ClientSettingsError(issues).message).not.toMatch(/s[eé]cret/)
  })

  it('takes anything and throws nothing', () => {
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        expect(checkClientSettings(anything).length).toBeGreaterThan(0)
        expect(() => checkClientSettings({ ...everything, retry: anything })).not.toThrow()
        expect(() => checkClientSettings({ baseUrls: anything, auth: anything })).not.toThrow()
      }),
    )
  })
})
