import type { IncomingHttpHeaders } from 'node:http'

/** Where a client may put its credential, in the order in which they are looked at. */
const credentialHeaders = ['authorization', 'x-api-key', 'api-key'] as const

/** A credential as the client presented it, and the header it came in. */
export interface Presented {
  readonly header: (typeof credentialHeaders)[number]
  readonly key: string
}

export function presentedKeys(headers: IncomingHttpHeaders): Presented[] {
  const found: Presented[] = []
  for (const header of credentialHeaders) {
    const value = headers[header]
    if (typeof value !== 'string') continue
    const key = header === 'authorization' ? bearer(value) : value
    if (key !== undefined && key !== '') found.push({ header, key })
  }
  return found
}

/** The token of a Bearer credential (RFC 6750 §2.1); the scheme's name is case-insensitive. */
function bearer(value: string): string | undefined {
  if (value.length < 8 || value[6] !== ' ') return undefined
  return value.slice(0, 6).toLowerCase() === 'bearer' ? value.slice(7).trim() : undefined
}
