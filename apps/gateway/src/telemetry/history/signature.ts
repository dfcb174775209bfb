import { createHmac } from 'node:crypto'
import type { Secret } from '@tidegate/config'

/** What is posted, and when. */
export interface Signed {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly body: string
}

/** The headers of Standard Webhooks 1.0.0: whoever has the secret can tell that we sent this, and when. */
export function webhookHeaders(
  secret: Secret,
  { id, timestamp, body }: Signed,
): Record<string, string> {
  const key = Buffer.from(secret.reveal().slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  }
}
