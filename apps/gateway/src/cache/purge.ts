import { GatewayError } from '../problems.ts'
import { namedUser } from '../sessions/session-user.ts'
import type { ResponseCache } from './response-cache.ts'
import { requestsTag, userTag } from './tags.ts'

const WAYS = ['tag', 'prefix', 'pattern', 'key', 'user', 'namespace', 'all'] as const

/** Which answers are thrown away. */
export interface PurgeTarget {
  readonly by: (typeof WAYS)[number]
  readonly value: string
}

const LONGEST = 1024

/** Reads what a query says is to be thrown away. It has to be said, and once. */
export function purgeTarget(query: URLSearchParams): PurgeTarget {
  const given = [...query]
  const unknown = given.find(([name]) => !WAYS.some((way) => way === name))
  if (unknown !== undefined) throw wrong(`There is no "${unknown[0].slice(0, 40)}".`, unknown[0])
  const [first, second] = given
  if (first === undefined) throw wrong('It names nothing, and everything has to be asked for.')
  if (second !== undefined) throw wrong('It names more than one thing.')
  const by = WAYS.find((way) => way === first[0]) ?? 'all'
  const value = by === 'user' ? namedUser(first[1]) : first[1]
  if (value === '' || value.length > LONGEST || !value.isWellFormed()) {
    throw wrong(`"${by}" is empty, too long, or no text.`, by)
  }
  if (by === 'all' && value !== 'true') throw wrong('"all" can only be "true".', by)
  return { by, value }
}

function wrong(message: string, param?: string): GatewayError {
  const options = param === undefined ? {} : { param }
  return new GatewayError('invalid_cache_target', message, options)
}

/** Throws answers away, in all gateways that share them, and says how many there were. */
export async function purge(kept: ResponseCache, { by, value }: PurgeTarget): Promise<number> {
  const { cache, requests } = kept
  await kept.beginAnew()
  switch (by) {
    case 'tag':
      return await cache.invalidate({ tag: value })
    case 'namespace':
      return await cache.invalidate({ tag: `route:${value}` })
    case 'user':
      await requests.invalidate({ tag: requestsTag(userTag(value)) })
      return await cache.invalidate({ tag: userTag(value) })
    case 'key':
      await requests.invalidate({ key: value })
      return await cache.invalidate({ key: value })
    case 'prefix':
      await requests.invalidate({ prefix: value })
      return await cache.invalidate({ prefix: value })
    case 'pattern':
      await requests.invalidate({ pattern: value })
      return await cache.invalidate({ pattern: value })
    case 'all':
      await requests.clear()
      return await cache.clear()
  }
}
