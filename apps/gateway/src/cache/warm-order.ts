import { z } from 'zod'
import type { Identity } from '../auth/identity.ts'
import { anonymous } from '../auth/identity.ts'
import { GatewayError } from '../problems.ts'
import type { KeptRequest } from './kept-request.ts'
import type { Warmer, WarmReport } from './warmer.ts'

const MOST_ENTRIES = 1_000

const entry = z.strictObject({
  path: z.string().startsWith('/').max(8_000),
  method: z.enum(['GET', 'POST']).optional(),
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/), z.string().regex(/^[^\r\n\0]*$/))
    .default({}),
  body: z.unknown().optional(),
  /** Whose answer it is to be, in the form of sessions' users. */
  as: z
    .string()
    .regex(/^(key|jwt|oauth):./, 'expected key:ID, jwt:USER or oauth:USER')
    .max(1_000)
    .optional(),
})

const order = z.strictObject({ entries: z.array(entry).min(1).max(MOST_ENTRIES).optional() })

/** Reads what `POST /cache/warm` asks for, and gives what does it. */
export function warmOrder(body: Buffer, warmer: Warmer | undefined): () => Promise<WarmReport> {
  if (warmer === undefined) throw nothing('No route of this gateway keeps answers.')
  const { entries } = read(body)
  if (entries !== undefined) {
    const requests = entries.map(requestOf)
    return () => warmer.warm(requests)
  }
  if (!warmer.remembers) {
    throw nothing('Popular requests are remembered only with cache.warm.atStart or .every.')
  }
  return () => warmer.warmPopular()
}

function read(body: Buffer): z.output<typeof order> {
  if (body.length === 0) return {}
  let parsed: ReturnType<typeof order.safeParse>
  try {
    parsed = order.safeParse(JSON.parse(body.toString('utf8')))
  } catch {
    throw nothing('The body is no JSON.')
  }
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const [where, what] = [issue?.path.join('.') ?? '', issue?.message ?? '']
  throw nothing(`The body is not as expected at "${where}": ${what.replace(/\.$/, '')}.`)
}

function requestOf({ path, method, headers, body, as }: z.output<typeof entry>): KeptRequest {
  const content = body === undefined ? null : Buffer.from(JSON.stringify(body))
  const given = Object.entries(headers).flat()
  const typed =
    content === null || Object.keys(headers).some((name) => /^content-type$/i.test(name))
  return {
    method: method ?? (content === null ? 'GET' : 'POST'),
    target: path,
    headers: typed ? given : ['content-type', 'application/json', ...given],
    body: content,
    identity: identityOf(as),
  }
}

function identityOf(as: string | undefined): Identity {
  if (as === undefined) return anonymous
  const at = as.indexOf(':')
  const id = as.slice(at + 1)
  const kind = as.slice(0, at) as 'key' | 'jwt' | 'oauth'
  return kind === 'key' ? { kind, id } : { kind, id, user: id }
}

function nothing(message: string): GatewayError {
  return new GatewayError('nothing_to_warm', message)
}
