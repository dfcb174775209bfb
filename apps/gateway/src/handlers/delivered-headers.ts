import type { IncomingHttpHeaders } from 'node:http'
import type { Head } from '../upstreams/attempt.ts'
import { responseHeaders } from '../upstreams/headers.ts'

/** An answer's headers as they are delivered, flat, with `ours` among them. `attempts`: made for it. */
export function deliveredHeaders(
  { status, headers }: Head,
  ours: readonly string[],
  isStream: boolean,
  attempts: number,
): string[] {
  const out: string[] = []
  responseHeaders(headers, ours, out)
  if (isStream) forStream(headers, out)
  // We have repeated it already: an SDK's own retries would multiply ours.
  if (status >= 400 && attempts > 1) setHeader(out, 'x-should-retry', 'false')
  return out
}

function forStream(headers: IncomingHttpHeaders, out: string[]): void {
  // A proxy in front of us, such as nginx, would gather the events.
  if (headers['x-accel-buffering'] === undefined) out.push('x-accel-buffering', 'no')
  // An error event of ours would lie beyond the length that the upstream declared.
  const at = out.indexOf('content-length')
  if (at !== -1) out.splice(at, 2)
}

function setHeader(headers: string[], name: string, value: string): void {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each === name)
  if (at === -1) headers.push(name, value)
  else headers[at + 1] = value
}
