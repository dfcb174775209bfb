import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'

/**
 * Whether a request comes from a page of this gateway's own origin, or from no page at all. A browser says so
 * itself (`Sec-Fetch-Site`), which holds behind every proxy; an old one tells the page's origin, which has to
 * be the host that it asked.
 */
export function isOwnPage(c: Context<GatewayEnv>): boolean {
  const { headers } = c.env.incoming
  const { method, peerTrusted } = c.get('exchange')
  const isRead = method === 'GET' || method === 'HEAD'
  const site = headers['sec-fetch-site']
  // `none`: the address was typed in.
  if (site !== undefined) return site === 'same-origin' || (isRead && site === 'none')
  const { origin } = headers
  if (origin === undefined) return true
  const asked = [headers.host, peerTrusted ? headers['x-forwarded-host'] : undefined]
  return (
    URL.canParse(origin) &&
    asked.some((host) => host !== undefined && host === new URL(origin).host)
  )
}
