import { createWebhookVerifier, type WebhookVerifierOptions } from './standard-webhooks.ts'

// The example that the libraries of Standard Webhooks 1.0.0 test themselves with:
// github.com/standard-webhooks/standard-webhooks, libraries/javascript/src/webhook.test.ts, "sign function works".
export const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}
// From its "multi sig payload is valid": right in form, of another message.
export const STRANGE = 'Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='
export const OTHER_SECRET = `whsec_${Buffer.alloc(64, 'abc').toString('base64')}`

export const headers = {
  'webhook-id': VECTOR.id,
  'webhook-timestamp': String(VECTOR.timestamp),
  'webhook-signature': VECTOR.signature,
}
export const verified = { ok: true, id: VECTOR.id, timestamp: VECTOR.timestamp }
export const refused = (reason: string) => ({ ok: false, reason })

/** A verifier at the moment of the example, and the example with other headers or another body. */
export function setUp(options: Partial<WebhookVerifierOptions> = {}) {
  const clock = { now: VECTOR.timestamp * 1000 }
  const now = () => clock.now
  const verifier = createWebhookVerifier({ secrets: VECTOR.secret, now, ...options })
  const verify = (changed: Record<string, unknown> = {}, body: string | Uint8Array = VECTOR.body) =>
    verifier.verify({ ...headers, ...changed } as never, body)
  return { clock, now, verifier, verify }
}
