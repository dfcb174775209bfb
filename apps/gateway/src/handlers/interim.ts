import type { IncomingHttpHeaders } from 'node:http'
import type { Outlet } from '../answers/outlet.ts'
import { responseHeaders } from '../upstreams/headers.ts'

/** Where one link ends and the next begins in a Link header (RFC 8288 §3). */
const BETWEEN_LINKS = /,\s*(?=<)/

/** Fields that mean something else, or nothing, after the body (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'host',
  'authorization',
  'set-cookie',
])

/**
 * Passes an upstream's interim answer on: early hints and "still at it". Others are dropped, as a 100 is
 * ours to give, and so are all for a client of HTTP/1.0, which knows none (RFC 9110 §15.2).
 */
export function passInterim(outgoing: Outlet, status: number, headers: IncomingHttpHeaders): void {
  // Into a recording they don't go: whoever reads it may come when they mean nothing any more.
  if (outgoing.req === undefined || outgoing.req.httpVersionMinor === 0) return
  if (status === 102) outgoing.writeProcessing?.()
  if (status !== 103 || headers.link === undefined) return
  try {
    outgoing.writeEarlyHints?.({ ...endToEnd(headers), link: linksOf(headers.link) })
  } catch {
    // A hint that Node finds malformed is one the client can do without.
  }
}

function linksOf(header: string | string[]): string[] {
  return [header].flat().flatMap((line) => line.split(BETWEEN_LINKS))
}

function endToEnd(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: string[] = []
  responseHeaders(headers, [], flat)
  const hints: Record<string, string> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) hints[flat[i] as string] = flat[i + 1] as string
  return hints
}

/** Passes on what an upstream said after a chunked body, but for what frames or routes a message. */
export function passTrailers(outgoing: Outlet, trailers: IncomingHttpHeaders): void {
  if (Object.keys(trailers).length === 0) return
  const pairs = Object.entries(endToEnd(trailers)).filter(([name]) => !NOT_IN_TRAILERS.has(name))
  if (pairs.length > 0) outgoing.addTrailers?.(pairs)
}
