import { describe, expect, it } from 'vitest'
import { RedisSettingsError } from './errors.ts'
import type { RedisOptions } from './options.ts'
import { planOf } from './plan.ts'
import { parseRedisUrl } from './url.ts'

function issuesOf(options: RedisOptions): readonly string[] {
  try {
    planOf(options)
  } catch (error) {
    if (error instanceof RedisSettingsError) return error.issues.map(({ setting }) => setting)
    throw error
  }
  return []
}

describe('parseRedisUrl', () => {
  it('reads every part', () => {
    const url = parseRedisUrl('rediss://ann:p%40s%3As@[::1]:7000/3')
    expect(url).toMatchObject({ host: '::1', port: 7_000, tls: true, username: 'ann', database: 3 })
    expect(typeof url === 'string' ? url : url.password?.reveal()).toBe('p@s:s')
    expect(parseRedisUrl('redis://h')).toEqual({ host: 'h', port: 6_379, tls: false })
  })

  it.each(['', 'h:6379', 'http://h', 'redis://', 'redis://h/x', 'redis://h?a=1', 'redis://%ff@h'])(
    'refuses %s in words',
    (text) => {
      expect(parseRedisUrl(text)).toEqual(expect.any(String))
    },
  )
})

describe('planOf', () => {
  it('names the target without credentials', () => {
    expect(planOf({ url: 'redis://ann:s3cret@h' }).where).toBe('h:6379')
    expect(planOf({ cluster: [{ host: '::1' }] }).where).toBe('[::1]:6379 (Cluster)')
    const sentinel = { name: 'tide', nodes: [{ host: 'a' }, { host: 'b', port: 1 }] }
    expect(planOf({ sentinel }).where).toBe('"tide" (Sentinels a:26379, b:1)')
  })

  it('speaks TLS when the URL or an option says so', () => {
    expect(planOf({ url: 'rediss://h' }).tls).toEqual({})
    expect(planOf({ url: 'redis://h', tls: true }).tls).toEqual({})
    expect(planOf({ url: 'rediss://h', tls: { ca: 'x' } }).tls).toEqual({ ca: 'x' })
    expect(planOf({ url: 'redis://h' }).tls).toBeUndefined()
  })

  it('tells everything that is wrong at once', () => {
    expect(issuesOf({})).toEqual(['url'])
    expect(issuesOf({ url: 'redis://h', cluster: [{ host: 'h' }] })).toEqual(['url'])
    expect(
      issuesOf({
        cluster: [{ host: '', port: 0 }],
        database: 1,
        commandTimeoutMs: 0,
        maxConnections: 1.5,
        tls: { cert: 'x' },
        username: 'ann',
      }),
    ).toEqual([
      'cluster[0].host',
      'cluster[0].port',
      'commandTimeoutMs',
      'maxConnections',
      'database',
      'tls',
      'password',
    ])
  })
})
