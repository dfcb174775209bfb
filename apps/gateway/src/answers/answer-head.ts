import type { Exchange } from '@tidegate/server'
import { isOurs } from '../upstreams/headers.ts'

/** How an answer begins, as far as it is the same for all who get it. */
export interface AnswerHead {
  readonly status: number
  readonly message: string | undefined
  /** The upstream's, as they cross the gateway; flat: name, value, name, value… */
  readonly headers: readonly string[]
  /** Who answered. Absent where the head went ahead of its content: then the stream says it in a comment. */
  readonly upstream: string | undefined
  readonly attempts: number | undefined
  /** Whether it is a stream of events, which each protocol has its way of ending. */
  readonly stream: boolean
}

/** What a client is told of where its answer comes from. */
export interface Origin {
  /** `x-tidegate-cache`: on routes that cache or coalesce. */
  readonly cache?: 'hit' | 'miss' | 'stale' | 'coalesced' | 'bypass' | undefined
  /** For how long it has been kept, whole seconds: `age` (RFC 9111 §5.1). */
  readonly ageSeconds?: number | undefined
}

/** All of a header's values in an answer, as one. */
export function headerOf({ headers }: AnswerHead, name: string): string | undefined {
  let found: string | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i] !== name) continue
    found = found === undefined ? headers[i + 1] : `${found}, ${headers[i + 1]}`
  }
  return found
}

/**
 * The headers of one client's answer: what was recorded, with the client's own where they belong. A cookie
 * is for the one who asked, and nobody else.
 */
export function clientHeaders(
  head: AnswerHead,
  { headers: ours }: Exchange,
  { cache, ageSeconds }: Origin,
): string[] {
  const out: string[] = []
  const given = new Set<string>()
  const isOthers = cache === 'hit' || cache === 'stale' || cache === 'coalesced'
  let age = ageSeconds
  for (let i = 0; i + 1 < head.headers.length; i += 2) {
    const name = head.headers[i] ?? ''
    const value = head.headers[i + 1] ?? ''
    if (name === 'set-cookie' && isOthers) continue
    if (name === 'age' && age !== undefined) {
      age += /^\d+$/.test(value) ? Math.min(Number(value), 2 ** 31) : 0
      continue
    }
    given.add(name)
    out.push(name, value)
  }
  for (let i = 0; i + 1 < ours.length; i += 2) {
    const name = ours[i] ?? ''
    if (isOurs(name) || !given.has(name)) out.push(name, ours[i + 1] ?? '')
  }
  if (age !== undefined) out.push('age', String(age))
  if (head.upstream !== undefined) out.push('x-tidegate-upstream', head.upstream)
  if (head.attempts !== undefined && ageSeconds === undefined) {
    out.push('x-tidegate-attempts', String(head.attempts))
  }
  if (cache !== undefined) out.push('x-tidegate-cache', cache)
  return out
}
