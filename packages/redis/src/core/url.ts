import { conceal, type Revealable } from './secret.ts'

/** What a `redis://` URL says. */
export interface RedisUrl {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly username?: string
  readonly password?: Revealable
  readonly database?: number
}

/** Reads a URL; a text says what is wrong with it, without quoting it. */
export function parseRedisUrl(text: string): RedisUrl | string {
  const url = URL.parse(text)
  if (url === null) return 'is no URL; write redis://host:6379 (rediss:// for TLS)'
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    return 'has to begin with redis:// or rediss:// (TLS)'
  }
  if (url.hostname === '') return 'names no host; write redis://host:6379'
  if (url.search !== '' || url.hash !== '') return 'has a query or a fragment; use options instead'
  const database = url.pathname.replace(/^\//, '')
  if (!/^\d{0,5}$/.test(database)) return 'ends in something that is no database number'
  const username = decoded(url.username)
  const password = decoded(url.password)
  if (username === undefined || password === undefined) {
    return 'has a user or password that is not percent-encoded as UTF-8'
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    tls: url.protocol === 'rediss:',
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password: conceal(password) }),
    ...(database === '' ? {} : { database: Number(database) }),
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
