import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import { connectionTokens } from '../upstreams/headers.ts'

/** Requests whose answer depends on what the client has already, or is a part of another. */
const PARTICULAR = [
  ...['range', 'if-range', 'if-match', 'if-none-match'],
  ...['if-modified-since', 'if-unmodified-since'],
] as const

/** What `Connection` may name without any effect on what the upstream gets. */
const PLAIN_TOKENS: ReadonlySet<string> = new Set(['te', 'upgrade', 'http2-settings'])

/**
 * Whether a request's answer can be recorded and be another's as well, by its form alone: not a handshake, a
 * `HEAD`, a part of something, an answer to a condition, or one that waits to be told to send its body. Nor
 * one that takes headers back, by `Connection`, on their way to the upstream: there it is another request.
 */
export function isShareable(c: Context<GatewayEnv>): boolean {
  const { incoming } = c.env
  const { headers } = incoming
  if (c.get('exchange').method === 'HEAD') return false
  if (incoming.upgraded !== undefined || headers.expect !== undefined) return false
  for (const token of connectionTokens(headers.connection) ?? []) {
    if (!PLAIN_TOKENS.has(token)) return false
  }
  return PARTICULAR.every((name) => headers[name] === undefined)
}
