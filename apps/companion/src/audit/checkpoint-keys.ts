import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { AuditError } from './errors.ts'

/** Secrets that keys are made of, as a key ring's `derive('audit-checkpoint')` gives them. */
export interface CheckpointSecrets {
  readonly current: { reveal(): string }
  readonly previous: readonly { reveal(): string }[]
}

/** Signs with the current secret's key; knows the public keys of all. */
export interface CheckpointKeys {
  /** Tells the current key from others. */
  readonly keyId: string
  /** The public keys by id, as 43 characters of base64url: keep them where the chain's keeper can't change them. */
  readonly publicKeys: ReadonlyMap<string, string>
  /** An Ed25519 signature, as base64url. */
  sign(text: string): string
}

/** Public keys by id. */
export type PublicKeys = ReadonlyMap<string, KeyObject>

// A private key in PKCS #8 (RFC 8410) is these bytes and the 32 of the seed.
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_KEY = /^[A-Za-z0-9_-]{43}$/

/** Makes the keys that checkpoints are signed with. The same secret gives the same keys, so nothing has to be kept. */
export function createCheckpointKeys(secrets: CheckpointSecrets): CheckpointKeys {
  const [current, ...previous] = [secrets.current, ...secrets.previous].map(privateKeyOf)
  const currentKey = current ?? privateKeyOf(secrets.current)
  const texts = [currentKey, ...previous].map(publicTextOf)
  return Object.freeze({
    keyId: idOf(publicTextOf(currentKey)),
    publicKeys: new Map(texts.map((text) => [idOf(text), text])),
    sign: (text: string) => sign(null, Buffer.from(text), currentKey).toString('base64url'),
  })
}

/**
 * Reads public keys as {@link CheckpointKeys.publicKeys} has them.
 *
 * @throws AuditError `invalid_key` if one is no such key
 */
export function parsePublicKeys(texts: Iterable<string>): PublicKeys {
  return new Map(Array.from(texts, (text) => [idOf(text), parsePublicKey(text)]))
}

/** Whether a signature in its one form is the key's for the text. */
export function verifySignature(key: KeyObject, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url')
  // The decoder overlooks strange characters, and a changed signature would still be one.
  if (bytes.toString('base64url') !== signature) return false
  return verify(null, Buffer.from(text), key, bytes)
}

function parsePublicKey(text: string): KeyObject {
  if (PUBLIC_KEY.test(text)) {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' })
    if (publicTextOf(key) === text) return key
  }
  throw new AuditError(
    'invalid_key',
    'That is no public key of an audit trail: give the 43 characters that the trail shows as its public key.',
  )
}

function privateKeyOf(secret: { reveal(): string }): KeyObject {
  const seed = createHash('sha256').update('tidegate audit checkpoint key v1\n')
  const key = Buffer.concat([PKCS8_ED25519, seed.update(secret.reveal()).digest()])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

function publicTextOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return String(publicKey.export({ format: 'jwk' }).x)
}

function idOf(publicText: string): string {
  return createHash('sha256').update(publicText).digest('base64url').slice(0, 16)
}
