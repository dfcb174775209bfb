import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { eachKnown, known, type Problem, type Report } from '@tidegate/config'
import type { RedisOptions, RedisTls } from '@tidegate/redis'
import { parseNode } from './addresses.ts'
import type { GatewayConfig } from './schema/gateway.ts'

type Redis = GatewayConfig['redis']

const TLS_FILES = ['caFile', 'certFile', 'keyFile'] as const

/** Whether the configuration names a Redis at all. */
export function namesRedis({ url, cluster, sentinel }: Redis): boolean {
  return url !== undefined || cluster !== undefined || sentinel !== undefined
}

/** How to connect. Files that can't be read count as empty. */
export function redisOptionsOf(redis: Redis, cwd: string): RedisOptions {
  const { url, cluster, sentinel, username, password, database, timeout, maxConnections } = redis
  const tls = tlsOf(redis.tls, cwd)
  return {
    ...(url !== undefined && { url }),
    ...(cluster !== undefined && { cluster: nodesOf(cluster) }),
    ...(sentinel !== undefined && {
      sentinel: {
        name: sentinel.name,
        nodes: nodesOf(sentinel.nodes),
        ...(sentinel.username !== undefined && { username: sentinel.username }),
        ...(sentinel.password !== undefined && { password: sentinel.password }),
        ...(sentinel.tls && { tls: tls === undefined ? true : trustOf(tls) }),
      },
    }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
    ...{ database, maxConnections, protocol: redis.protocol === 2 ? 2 : 3, name: 'tidegate' },
    ...{ connectTimeoutMs: timeout, commandTimeoutMs: timeout },
  }
}

function nodesOf(nodes: readonly string[]) {
  return nodes.flatMap((text) => parseNode(text) ?? [])
}

function tlsOf(tls: Redis['tls'], cwd: string): RedisTls | undefined {
  const { enabled, caFile, certFile, keyFile, servername } = tls
  const files = [caFile, certFile, keyFile]
  if (!enabled && servername === undefined && files.every((file) => file === undefined)) {
    return undefined
  }
  const text = (file: string): string => read(file, cwd).text ?? ''
  return {
    ...(caFile !== undefined && { ca: text(caFile) }),
    ...(certFile !== undefined && { cert: text(certFile) }),
    ...(keyFile !== undefined && { key: text(keyFile) }),
    ...(servername !== undefined && { servername }),
  }
}

/** What holds of the Sentinels too: whom to trust, not whom to be. */
function trustOf({ ca }: RedisTls): RedisTls {
  return ca === undefined ? {} : { ca }
}

/**
 * What keeps Redis from being connected to, as far as it can be known without trying. Not among the
 * rules of the definition, as the client has to be loaded, and only where there is a Redis.
 */
export async function checkRedis(
  draft: GatewayConfig,
  origins: Report['origins'],
  cwd: string,
): Promise<Pick<Report, 'problems' | 'warnings'>> {
  const problem = createProblemAt(origins)
  const redis = known(() => draft.redis)
  if (redis === undefined) return { problems: [], warnings: [] }
  if (known(() => namesRedis(redis)) === false) {
    return { problems: [], warnings: findIdle(redis).map(problem) }
  }
  const unread = findUnread(redis, cwd)
  const options = unread.length > 0 ? undefined : known(() => redisOptionsOf(redis, cwd))
  const found = [...unread, ...findIdleTls(redis), ...(options ? await findRefused(options) : [])]
  return { problems: found.map(problem), warnings: [] }
}

interface Found {
  /** Below `redis`. */
  readonly setting: string
  readonly message: string
}

function createProblemAt(origins: Report['origins']): (found: Found) => Problem {
  return ({ setting, message }) => {
    const path = `redis.${setting}`
    const source = origins.find((origin) => origin.path === path)?.source
    return { code: 'refused', path, message, source: source ?? { kind: 'default' } }
  }
}

function findIdle(redis: Redis): readonly Found[] {
  const given = eachKnown(['password', 'username'] as const, (name) =>
    redis[name] === undefined ? [] : [name as string],
  )
  const tls = eachKnown(['enabled', 'caFile'] as const, (name) =>
    redis.tls[name] ? [`tls.${name}`] : [],
  )
  const message = 'set, but has no effect without a Redis; name one under redis.url (REDIS_URL)'
  return [...given, ...tls].map((setting) => ({ setting, message }))
}

function findUnread({ tls }: Redis, cwd: string): readonly Found[] {
  return eachKnown(TLS_FILES, (name) => {
    const file = tls[name]
    const fault = file === undefined ? undefined : read(file, cwd).fault
    return fault === undefined ? [] : [{ setting: `tls.${name}`, message: fault }]
  })
}

/** A certificate to trust says that TLS is meant; a URL that says otherwise would go unnoticed. */
function findIdleTls(redis: Redis): readonly Found[] {
  const message =
    'is of no use without TLS; set tls.enabled (REDIS_USE_SSL=true) or write rediss://'
  return (
    known(() => {
      const { enabled, caFile } = redis.tls
      const implied = redis.url?.reveal().startsWith('rediss:') ?? false
      return caFile === undefined || enabled || implied ? [] : [{ setting: 'tls.caFile', message }]
    }) ?? []
  )
}

// The client is asked itself, which opens nothing before it is used.
async function findRefused(options: RedisOptions): Promise<readonly Found[]> {
  const { connectRedis, RedisSettingsError } = await import('@tidegate/redis')
  try {
    connectRedis(options)
    return []
  } catch (error) {
    if (!(error instanceof RedisSettingsError)) throw error
    return error.issues
  }
}

function read(
  file: string,
  cwd: string,
): { readonly text: string; readonly fault?: never } | { text?: never; readonly fault: string } {
  try {
    const text = readFileSync(resolve(cwd, file), 'utf8')
    if (text.includes('-----BEGIN ')) return { text }
    return { fault: 'the file holds nothing in PEM form' }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return { fault: code === 'ENOENT' ? 'there is no such file' : "the file can't be read" }
  }
}
