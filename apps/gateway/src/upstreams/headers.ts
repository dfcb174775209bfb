import type { IncomingHttpHeaders } from 'node:http'
import { withoutSession } from '../dashboard/cookie.ts'

/**
 * Which headers cross the gateway, in each direction, and under which name.
 *
 * Hop-by-hop fields belong to one connection and never cross (RFC 9110 §7.6.1). What only a trusted
 * proxy may say about the client is dropped from strangers and said anew by us.
 */

type RequestRule = 'drop' | 'credential' | 'consumable' | 'trace' | 'cookie'
type ResponseRule = 'drop' | 'ours'

const requestRules = new Map<string, RequestRule>([
  ['connection', 'drop'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['proxy-authorization', 'drop'],
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['transfer-encoding', 'drop'],
  ['upgrade', 'drop'],
  ['http2-settings', 'drop'],
  // Framing and the authority are made anew for the next hop.
  ['host', 'drop'],
  ['content-length', 'drop'],
  ['expect', 'drop'],
  ['forwarded', 'drop'],
  ['x-real-ip', 'drop'],
  ['x-request-id', 'drop'],
  // Opens the gateway's own admin surface: no upstream has any business with it.
  ['x-admin-key', 'drop'],
  ['authorization', 'credential'],
  ['x-api-key', 'credential'],
  ['api-key', 'credential'],
  ['x-session-id', 'consumable'],
  ['cookie', 'cookie'],
  ['traceparent', 'trace'],
  ['tracestate', 'trace'],
])

const responseRules = new Map<string, ResponseRule>([
  ['connection', 'drop'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['transfer-encoding', 'drop'],
  ['upgrade', 'drop'],
  // Speaks of the upstream's own host and port.
  ['alt-svc', 'drop'],
  ['x-tidegate-upstream', 'drop'],
  ['x-tidegate-attempts', 'drop'],
  ['x-tidegate-cache', 'drop'],
  ['x-request-id', 'ours'],
  ['x-response-time', 'ours'],
  ['ratelimit', 'ours'],
  ['ratelimit-policy', 'ours'],
  // Of earlier drafts, and by many services still sent.
  ['ratelimit-limit', 'ours'],
  ['ratelimit-remaining', 'ours'],
  ['ratelimit-reset', 'ours'],
])

/** Names which a message's own `Connection` header declares hop-by-hop; `undefined` when none. */
export function connectionTokens(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined
  const tokens = value
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '' && token !== 'keep-alive' && token !== 'close')
  return tokens.length === 0 ? undefined : new Set(tokens)
}

/** What happens to the client's own `authorization`, `x-api-key` and `api-key` headers. */
export interface CredentialPlan {
  /** The endpoint's credential, as the header pair that replaces all of the client's. */
  readonly replacement: readonly [name: string, value: string] | undefined
}

/**
 * The request headers for the next hop, flat `[name, value, …]`, in the client's order and spelling.
 *
 * The client's credential headers pass only when neither the endpoint has one of its own nor the
 * gateway consumed it: `consumed` names the headers in which the gateway found keys or a session of its
 * own. A name with underscores falls under the rule of the one with hyphens: servers that hand headers on
 * as variables (CGI, WSGI) can't tell them apart.
 * `readable` asks for an answer that isn't compressed, as something has to be read in it. `traceHeaders`
 * take the place of the client's trace context.
 */
export function requestHeaders(
  raw: readonly string[],
  connection: string | undefined,
  plan: CredentialPlan,
  consumed: readonly string[] | undefined,
  readable = false,
  traceHeaders?: readonly string[],
): string[] {
  const out: string[] = []
  const hopByHop = connectionTokens(connection)
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const lower = name.toLowerCase()
    const known = lower.includes('_') ? lower.replaceAll('_', '-') : lower
    const rule = requestRules.get(known)
    if (rule === 'drop') continue
    if (rule === 'credential' && plan.replacement !== undefined) continue
    if (rule !== undefined && consumed?.includes(known)) continue
    if (rule === 'trace' && traceHeaders !== undefined) continue
    if (known.startsWith('x-forwarded-')) continue
    if (readable && known === 'accept-encoding') continue
    if (hopByHop?.has(lower)) continue
    const value = raw[i + 1] as string
    // A browser sends the operator's session to all of this origin: no upstream has any business with it.
    const crossing = rule === 'cookie' ? withoutSession(value) : value
    if (crossing !== undefined) out.push(name, crossing)
  }
  if (plan.replacement !== undefined) out.push(plan.replacement[0], plan.replacement[1])
  if (readable) out.push('accept-encoding', 'identity')
  if (traceHeaders !== undefined) out.push(...traceHeaders)
  return out
}

/**
 * The upstream's response headers for the client, flat `[name, value, …]`, appended to `out`.
 *
 * An upstream's CORS headers are dropped, as the gateway's own answer holds for its origin; its
 * request id and rate limits keep their values under `x-tidegate-upstream-…`, so that they can't be
 * taken for ours. `ours` are the headers that the gateway set: of the others, a name that the upstream
 * set too keeps the upstream's value.
 */
export function responseHeaders(
  headers: IncomingHttpHeaders,
  ours: readonly string[],
  out: string[],
): void {
  const hopByHop = connectionTokens(single(headers.connection))
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined) continue
    const rule = responseRules.get(name)
    if (rule === 'drop') continue
    if (hopByHop?.has(name)) continue
    if (rule === 'ours' || name.startsWith('x-ratelimit-')) {
      push(out, `x-tidegate-upstream-${name.replace(/^x-/, '')}`, value)
      continue
    }
    if (name.startsWith('access-control-')) continue
    push(out, name, value)
  }
  for (let i = 0; i + 1 < ours.length; i += 2) {
    const name = ours[i] as string
    if (isOurs(name) || headers[name] === undefined) out.push(name, ours[i + 1] as string)
  }
}

/** Whether a header of the gateway's holds, whatever an upstream has said under its name. */
export function isOurs(name: string): boolean {
  return (
    alwaysOurs.has(name) || name.startsWith('access-control-') || name.startsWith('x-ratelimit-')
  )
}

const alwaysOurs: ReadonlySet<string> = new Set([
  'x-request-id',
  'ratelimit',
  'ratelimit-policy',
  'vary',
  'connection',
])

function push(out: string[], name: string, value: string | string[]): void {
  if (typeof value === 'string') out.push(name, value)
  else for (const each of value) out.push(name, each)
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}
