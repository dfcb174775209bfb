import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import { GatewayError } from '../problems.ts'
import type { PageFile, PageFiles } from './page-files.ts'

/** The page loads nothing but its own files, asks nobody but this gateway, and is in nobody's frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const SHIELD = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** A file of the page, or the page itself at its root. */
export function servePage(c: Context<GatewayEnv>, files: PageFiles | undefined): Response {
  if (files === undefined) {
    throw new GatewayError('dashboard_not_built', 'This gateway was built without its dashboard.')
  }
  const path = c.req.path.slice('/dashboard/'.length)
  const name = path === '' ? 'index.html' : path
  const file = files.get(name)
  if (file === undefined) {
    throw new GatewayError('no_route', 'The dashboard has no such file.')
  }
  const { headers } = c.env.incoming
  const [encoding, body] = chosen(file, headers['accept-encoding'])
  const tag = `"${file.digest}${encoding === undefined ? '' : `-${encoding}`}"`
  const about = {
    ...SHIELD,
    // A file's name changes with what is in it, but for the page's own.
    'cache-control': name.startsWith('assets/')
      ? 'public, max-age=31536000, immutable'
      : 'no-cache',
    etag: tag,
    vary: 'accept-encoding',
  }
  if (isKnown(headers['if-none-match'], tag)) return c.body(null, 304, about)
  return c.body(body, 200, {
    ...about,
    'content-type': file.type,
    'content-length': String(body.length),
    ...(encoding !== undefined && { 'content-encoding': encoding }),
  })
}

type Chosen = readonly [encoding: string | undefined, body: PageFile['plain']]

function chosen({ plain, compressed }: PageFile, accepted: string | undefined): Chosen {
  for (const [encoding, body] of compressed) {
    if (accepts(accepted, encoding)) return [encoding, body]
  }
  return [undefined, plain]
}

function accepts(header: string | undefined, encoding: string): boolean {
  return (header ?? '').split(',').some((each) => {
    const [name, weight] = each
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/)
    return name === encoding && !/^q=0(?:\.0*)?$/.test(weight ?? '')
  })
}

/** RFC 9110 §13.1.2, where weak tags are as good. */
function isKnown(header: string | undefined, tag: string): boolean {
  return (header ?? '').split(',').some((each) => {
    const known = each.trim().replace(/^W\//, '')
    return known === tag || known === '*'
  })
}
