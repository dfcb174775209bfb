import { hash, timingSafeEqual } from 'node:crypto'
import type { KeySettings } from '../config/settings.ts'
import type { Known } from './verdict.ts'

/** Finds the owner of a presented key; `undefined` when nobody has it. */
export type KeyRing = (presented: string) => Known | undefined

/**
 * Keys are kept and looked up as SHA-256 digests, so that neither the look-up nor the comparison tells
 * by its time how much of a guess was right.
 *
 * A header's value comes from Node as Latin-1, one character a byte. A client may have sent a key that
 * isn't ASCII as UTF-8 or as Latin-1: both are tried.
 */
export function createKeyRing(keys: readonly KeySettings[]): KeyRing {
  const owners = new Map<string, { readonly digest: Buffer; readonly known: Known }>()
  for (const { id, tier, secret } of keys) {
    const digest =
      'plain' in secret ? hash('sha256', secret.plain.reveal(), 'hex') : secret.sha256.toLowerCase()
    const identity = Object.freeze({
      kind: 'key' as const,
      id,
      ...(tier !== undefined && { tier }),
    })
    owners.set(digest, { digest: Buffer.from(digest, 'hex'), known: { kind: 'known', identity } })
  }
  // Hashing each token for nothing would cost as much as looking it up.
  if (owners.size === 0) return () => undefined
  const find = (key: string | Buffer): Known | undefined => {
    const digest = hash('sha256', key, 'hex')
    const owner = owners.get(digest)
    if (owner === undefined) return undefined
    return timingSafeEqual(owner.digest, Buffer.from(digest, 'hex')) ? owner.known : undefined
  }
  return (presented) => {
    if (isAscii(presented)) return find(presented)
    return find(Buffer.from(presented, 'latin1')) ?? find(presented)
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
