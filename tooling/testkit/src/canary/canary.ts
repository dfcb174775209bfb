import { randomBytes } from 'node:crypto'
import { decodings } from './decodings.ts'

// Letters and digits only: no encoding but base64, hex and byte lists changes them.
const mark = 'cnry'
const pattern = /cnry[0-9a-f]{6,16}(?:-[a-z0-9]{1,24}-)?/gi
const maxDepth = 3

/**
 * A unique secret that `findCanaries` recognises wherever it turns up.
 *
 * @param label where the secret is put, such as `authorization`; named when it is found.
 * @param prefix what the secret begins with, such as `sk-` or `Bearer `.
 */
export function canary(label = 'secret', prefix = ''): string {
  const name =
    label
      .toLowerCase()
      .replace(/[^a-z0-9]/g, '')
      .slice(0, 24) || 'secret'
  return `${prefix}${mark}${randomBytes(8).toString('hex')}-${name}-`
}

/** A secret that got out. */
export interface CanarySighting {
  /** The recognisable part of the secret, with its label where that got out as well. */
  readonly canary: string
  /** How it was disguised, outermost first; empty: not at all. */
  readonly disguise: readonly string[]
  /** The text around it. */
  readonly excerpt: string
}

function sightings(text: string, disguise: readonly string[]): CanarySighting[] {
  return [...text.matchAll(pattern)].map((match) => ({
    canary: match[0].toLowerCase(),
    disguise,
    excerpt: text.slice(Math.max(0, match.index - 60), match.index + match[0].length + 60),
  }))
}

function search(text: string, disguise: readonly string[]): CanarySighting[] {
  const found = sightings(text, disguise)
  if (disguise.length === maxDepth) return found
  const deeper = decodings(text).flatMap(({ name, texts }) =>
    texts.flatMap((decoded) => search(decoded, [...disguise, name])),
  )
  return [...found, ...deeper]
}

/**
 * Finds the canaries in a text or in bytes, whole or cut short (6 of 16 marking digits are enough),
 * plain, in any case, and in base64, base64url, hex, percent, JSON and byte-list form, also when one
 * form wraps another.
 */
export function findCanaries(haystack: string | Uint8Array): CanarySighting[] {
  const text = typeof haystack === 'string' ? haystack : Buffer.from(haystack).toString('latin1')
  const seen = new Set<string>()
  return search(text, []).filter(({ canary: found, disguise }) => {
    const key = `${found} ${disguise.join(' ')}`
    return !seen.has(key) && seen.add(key)
  })
}
