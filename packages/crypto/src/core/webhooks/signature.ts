import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { CryptoError } from '../errors.ts'
import type { SecretSource } from '../secret.ts'

/**
 * The body of a request just as it travels: its bytes, or its text. JSON that was parsed and written again is another
 * body.
 */
export type WebhookBody = string | Uint8Array

/** One secret, or several while one takes another's place. */
export type WebhookSecrets = string | SecretSource | readonly (string | SecretSource)[]

/** The keys of secrets, of which there is one at least. `read` gives a secret's key, or nothing if it is no such secret. */
export function keysOf(
  secrets: WebhookSecrets,
  read: (secret: string) => Uint8Array | undefined,
  wanted: string,
): readonly KeyObject[] {
  const all = Array.isArray(secrets) ? secrets : [secrets]
  if (all.length === 0) throw new CryptoError('invalid_option', 'secrets is empty; give one.')
  return all.map((source: string | SecretSource, i) => {
    const secret: unknown = typeof source === 'string' ? source : source?.reveal?.()
    const key = typeof secret === 'string' ? read(secret) : undefined
    if (key) return createSecretKey(key)
    const name = Array.isArray(secrets) ? `secrets[${i}]` : 'secrets'
    throw new CryptoError('invalid_option', `${name} has to be ${wanted}.`)
  })
}

/** The HMAC-SHA256 of `start.body`, the body's bytes as they are. */
export function macOf(key: KeyObject, start: string, body: WebhookBody): Buffer {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new CryptoError(
      'invalid_option',
      'body has to be the text or the bytes that travel, not what was parsed of them.',
    )
  }
  return createHmac('sha256', key).update(`${start}.`).update(body).digest()
}

/** Whether one of the signatures given is one of those expected. How long it takes says nothing about either. */
export function anyMatches(given: readonly Uint8Array[], expected: readonly Uint8Array[]): boolean {
  let isFound = false
  for (const signature of given) {
    for (const mac of expected) {
      if (signature.length === mac.length && timingSafeEqual(signature, mac)) isFound = true
    }
  }
  return isFound
}
