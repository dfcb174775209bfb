import { hash } from 'node:crypto'
import type { Context } from 'hono'
import type { Scope } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { Route } from '../routes.ts'

/** Whose request it is: the same text for the same caller and for nobody else. Absent: nobody can tell. */
export type CallerScope = (c: Context<GatewayEnv>) => string | undefined

/** Says nothing of anybody: no value, or a scheme without one. */
const EMPTY = /^\s*(?:(?:bearer|basic)\s*)?$/i

const CREDENTIALS = new Set(['authorization', 'x-api-key', 'api-key'])

/**
 * Tells a route's callers apart: by who they have proved to be here, and by the credentials that pass on to the
 * upstream, as one key of ours may speak for many of its users. Who is anonymous here is somebody only where every
 * upstream gets, and so judges, the credential that came: what an endpoint's own key replaces nobody has
 * looked at. An address is nobody, as many share one. The text holds no credential, only the hash of them.
 *
 * `among`: those of one `user`, by whichever way they have proved to be that user, or everybody (`public`)
 * whose requests bring the upstream no credentials, or the same.
 */
export function callerScope(
  { upstreams }: Pick<Route, 'upstreams'>,
  among: Scope = 'key',
): CallerScope {
  const endpoints = upstreams.flatMap((upstream) => upstream.endpoints)
  const passes = endpoints.filter(({ credentials }) => credentials.replacement === undefined)
  const [some, all] = [passes.length > 0, passes.length === endpoints.length]
  return (c) => {
    const { kind, id, user } = c.get('identity')
    const { rawHeaders } = c.env.incoming
    const passed = passedOn(rawHeaders, c.get('consumedHeaders'), some)
    if (among === 'public') return `public:${passed.hash ?? ''}`
    if (kind === 'anonymous' && !(all && passed.isJudged)) return undefined
    const isUser = among === 'user' && user !== undefined
    const proved = isUser ? `user:${user.length}:${user}` : `${kind}:${id.length}:${id}`
    return passed.hash === undefined ? proved : `${proved}:${passed.hash}`
  }
}

interface PassedOn {
  readonly hash: string | undefined
  /** Whether one of them is a credential by its name; a cookie may say anything. */
  readonly isJudged: boolean
}

function passedOn(
  raw: readonly string[],
  consumed: readonly string[] | undefined,
  passes: boolean,
): PassedOn {
  const found: string[] = []
  let isJudged = false
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const lower = (raw[i] ?? '').toLowerCase()
    const name = lower.includes('_') ? lower.replaceAll('_', '-') : lower
    const isCredential = CREDENTIALS.has(name)
    if (isCredential ? !passes || consumed?.includes(name) : name !== 'cookie') continue
    const value = raw[i + 1] ?? ''
    isJudged ||= isCredential && !EMPTY.test(value)
    found.push(name, value)
  }
  if (found.length === 0) return { hash: undefined, isJudged }
  return { hash: hash('sha256', JSON.stringify(found), 'base64url'), isJudged }
}
