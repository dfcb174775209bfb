import { randomBytes } from 'node:crypto'
import { fromBase64, randomBase62 } from '../encoding.ts'
import { CryptoError } from '../errors.ts'
import { type HeaderFault, headerOf, type WebhookHeadersIn } from './headers.ts'
import { anyMatches, keysOf, macOf, type WebhookBody, type WebhookSecrets } from './signature.ts'
import { createTimeWindow, type TimeFault, type TimeWindowOptions } from './time-window.ts'

const PREFIX = 'whsec_'
const WANTED = `${PREFIX} and 24 to 64 random bytes as base64, as generateWebhookSecret() makes them`
/** Visible ASCII; a full stop would let one signed text be read as two different deliveries. */
const ID = /^[!-+\-/-~]{1,256}$/
const VERSION = 'v1,'

/** A new secret of Standard Webhooks: `whsec_` and 32 random bytes as base64. */
export function generateWebhookSecret(): string {
  return PREFIX + randomBytes(32).toString('base64')
}

/** Whether a text is a secret of Standard Webhooks: 24 to 64 bytes as base64, with or without `whsec_` and padding. */
export function isWebhookSecret(text: unknown): boolean {
  return typeof text === 'string' && readSecret(text) !== undefined
}

export interface WebhookSignerOptions {
  /** `whsec_` and 24 to 64 bytes as base64. With several, each signs, so that a receiver may know either. */
  readonly secrets: WebhookSecrets
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

/** What is sent. */
export interface WebhookDelivery {
  readonly body: WebhookBody
  /** Names the event; the same whenever it is sent again. Visible ASCII without `.` and `,`. Default: random. */
  readonly id?: string
  /** When this attempt is made, in seconds since 1970. Default: now. */
  readonly timestamp?: number
}

/** The headers to send beside the body. */
export interface WebhookHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

export interface WebhookSigner {
  /** Throws a CryptoError, `invalid_option`, at an id or a timestamp that a receiver couldn't take. */
  sign(delivery: WebhookDelivery): WebhookHeaders
}

/** Signs as Standard Webhooks 1.0.0 says, with HMAC-SHA256. Throws a CryptoError: `invalid_option`. */
export function createWebhookSigner(options: WebhookSignerOptions): WebhookSigner {
  const { now = Date.now } = options
  const keys = keysOf(options.secrets, readSecret, WANTED)
  return {
    sign({ body, id = `msg_${randomBase62(27)}`, timestamp = Math.floor(now() / 1000) }) {
      checkDelivery(id, timestamp)
      const macs = keys.map((key) => macOf(key, `${id}.${timestamp}`, body))
      return {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': macs.map((mac) => VERSION + mac.toString('base64')).join(' '),
      }
    },
  }
}

export interface WebhookVerifierOptions extends TimeWindowOptions {
  /** `whsec_` and 24 to 64 bytes as base64. With several, any of them may have signed. */
  readonly secrets: WebhookSecrets
}

/** Why a delivery is refused. */
export type WebhookRefusal = HeaderFault | TimeFault | 'bad_id' | 'no_match' | 'replayed'

export type VerifiedWebhook =
  | {
      readonly ok: true
      /** Names the event, also when its sender sends it again: handle each once. */
      readonly id: string
      /** When the attempt was made, in seconds since 1970. */
      readonly timestamp: number
    }
  | { readonly ok: false; readonly reason: WebhookRefusal }

export interface WebhookVerifier {
  /**
   * Whether somebody with a secret sent this body, lately, and for the first time. `replayed` is a copy of a delivery;
   * when its sender tries again, the timestamp is another one and it passes. Rejects with what the replay store throws,
   * and with a CryptoError, `invalid_option`, if the body is neither text nor bytes; never for what a header holds.
   */
  verify(headers: WebhookHeadersIn, body: WebhookBody): Promise<VerifiedWebhook>
}

/** Verifies what Standard Webhooks 1.0.0 signs with HMAC-SHA256. Throws a CryptoError: `invalid_option`. */
export function createWebhookVerifier(options: WebhookVerifierOptions): WebhookVerifier {
  const keys = keysOf(options.secrets, readSecret, WANTED)
  const window = createTimeWindow(options)
  return {
    async verify(headers, body) {
      const id = headerOf(headers, 'webhook-id')
      if ('fault' in id) return refuse(id.fault)
      const timestamp = headerOf(headers, 'webhook-timestamp')
      if ('fault' in timestamp) return refuse(timestamp.fault)
      const signature = headerOf(headers, 'webhook-signature')
      if ('fault' in signature) return refuse(signature.fault)

      if (!ID.test(id.value)) return refuse('bad_id')
      const fault = window.faultOf(timestamp.value)
      if (fault) return refuse(fault)
      const start = `${id.value}.${timestamp.value}`
      const expected = keys.map((key) => macOf(key, start, body))
      if (!anyMatches(signaturesOf(signature.value), expected)) return refuse('no_match')
      // Not before it is known to be authentic: strangers can't fill the store.
      if (!(await window.isFirst(start, timestamp.value))) return refuse('replayed')
      return { ok: true, id: id.value, timestamp: Number(timestamp.value) }
    },
  }
}

function refuse(reason: WebhookRefusal): VerifiedWebhook {
  return { ok: false, reason }
}

/** Those of the version we know; receivers pass over others (such as `v1a`). */
function signaturesOf(header: string): readonly Uint8Array[] {
  return header
    .split(' ')
    .filter((entry) => entry.startsWith(VERSION))
    .flatMap((entry) => fromBase64(entry.slice(VERSION.length)) ?? [])
}

function readSecret(secret: string): Uint8Array | undefined {
  // Other implementations take a secret without its prefix too, and base64 without its padding.
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret
  const key = fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, '='))
  return key && key.length >= 24 && key.length <= 64 ? key : undefined
}

function checkDelivery(id: string, timestamp: number): void {
  if (!ID.test(id)) {
    throw new CryptoError(
      'invalid_option',
      'id has to be 1 to 256 characters of visible ASCII, without "." and ",".',
    )
  }
  if (!(Number.isSafeInteger(timestamp) && timestamp >= 0 && timestamp < 1e11)) {
    throw new CryptoError('invalid_option', 'timestamp has to be whole seconds since 1970.')
  }
}
