import { createHash } from 'node:crypto'
import { type HeaderFault, headerOf, type WebhookHeadersIn } from './headers.ts'
import { anyMatches, keysOf, macOf, type WebhookBody, type WebhookSecrets } from './signature.ts'
import { createTimeWindow, type TimeFault, type TimeWindowOptions } from './time-window.ts'

const HEX = /^[0-9a-f]{64}$/
const SECRET = /^[!-~]{16,512}$/
const WANTED = '16 to 512 characters of visible ASCII, just as the sender shows it'

export interface StripeStyleVerifierOptions extends TimeWindowOptions {
  /** As the sender shows it, all of it: 16 characters or more. With several, any of them may have signed. */
  readonly secrets: WebhookSecrets
  /** The header's name. Default: `stripe-signature`. */
  readonly header?: string
}

export type StripeStyleRefusal = HeaderFault | TimeFault | 'no_match' | 'replayed'

export type VerifiedStripeStyle =
  | {
      readonly ok: true
      /** When the attempt was made, in seconds since 1970. */
      readonly timestamp: number
    }
  | { readonly ok: false; readonly reason: StripeStyleRefusal }

export interface StripeStyleVerifier {
  /**
   * Whether somebody with a secret sent this body, lately, and for the first time; see `WebhookVerifier`. The event's
   * id, by which to handle each once, is in the body.
   */
  verify(headers: WebhookHeadersIn, body: WebhookBody): Promise<VerifiedStripeStyle>
}

/**
 * Verifies signatures as Stripe makes them, and others after it: a header `t=<seconds>,v1=<hex>`, the HMAC-SHA256 of
 * `t.body`. Unlike Stripe's own libraries it also refuses what comes from the future. Throws a CryptoError:
 * `invalid_option`.
 */
export function createStripeStyleVerifier(
  options: StripeStyleVerifierOptions,
): StripeStyleVerifier {
  const keys = keysOf(options.secrets, readSecret, WANTED)
  const window = createTimeWindow(options)
  const name = (options.header ?? 'stripe-signature').toLowerCase()
  return {
    async verify(headers, body) {
      const header = headerOf(headers, name)
      if ('fault' in header) return refuse(header.fault)
      const parts = header.value.split(',').map((part) => part.trim())
      const [timestamp = '', second] = valuesOf(parts, 't=')
      const fault = second === undefined ? window.faultOf(timestamp) : 'bad_timestamp'
      if (fault) return refuse(fault)

      const given = valuesOf(parts, 'v1=').filter((text) => HEX.test(text))
      const expected = keys.map((key) => macOf(key, timestamp, body))
      const signatures = given.map((text) => Buffer.from(text, 'hex'))
      if (!anyMatches(signatures, expected)) return refuse('no_match')
      // Not by a signature: a copy could leave another one in, and replicas have other secrets while these change.
      const key = `${timestamp}.${digestOf(body)}`
      if (!(await window.isFirst(key, timestamp))) return refuse('replayed')
      return { ok: true, timestamp: Number(timestamp) }
    },
  }
}

function digestOf(body: WebhookBody): string {
  return createHash('sha256').update(body).digest('hex')
}

function refuse(reason: StripeStyleRefusal): VerifiedStripeStyle {
  return { ok: false, reason }
}

function valuesOf(parts: readonly string[], start: string): readonly string[] {
  return parts.filter((part) => part.startsWith(start)).map((part) => part.slice(start.length))
}

function readSecret(secret: string): Uint8Array | undefined {
  return SECRET.test(secret) ? Buffer.from(secret) : undefined
}
