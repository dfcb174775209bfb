import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { toBase64Url } from '../encoding.ts'

/** What is derived from one secret of a ring. Each use has a key of its own, so no use can endanger another. */
export interface RingKeys {
  /** Tells which secret this is, and nothing about it: 12 characters. */
  readonly fingerprint: string
  /** Wraps the data keys of envelopes. */
  readonly wrapping: KeyObject
  /** Keys blind indexes. */
  readonly index: KeyObject
  /** What secrets for other uses are derived from. */
  readonly root: KeyObject
}

/** Derives a secret's keys by HKDF-SHA256 (RFC 5869). */
export function deriveRingKeys(secret: string): RingKeys {
  const ikm = createSecretKey(secret, 'utf8')
  return {
    fingerprint: toBase64Url(expand(ikm, 'fingerprint', 9)),
    wrapping: createSecretKey(expand(ikm, 'wrap data keys', 32)),
    index: createSecretKey(expand(ikm, 'blind index', 32)),
    root: createSecretKey(expand(ikm, 'derive', 32)),
  }
}

/** 32 bytes for a purpose of the caller's, as base64url. */
export function deriveText(keys: RingKeys, purpose: string): string {
  return toBase64Url(expand(keys.root, purpose, 32))
}

function expand(key: KeyObject, use: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `tidegate ring v1: ${use}`, length))
}
