import { field } from '@tidegate/config'
import { boolean, duration, httpUrl, integer, offOr, secret } from '@tidegate/config/fields'
import { isWebhookSecret } from '@tidegate/crypto/webhooks'
import { createEgress } from '@tidegate/resilience/http'
import { z } from 'zod'
import { checked } from './checked.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const history = z.strictObject({
  seconds: field(duration({ min: MINUTE, max: HOUR }).default(10 * MINUTE), {
    description: 'How long every second is kept …',
  }),
  minutes: field(duration({ min: HOUR, max: 7 * 24 * HOUR }).default(24 * HOUR), {
    description: '… and every minute.',
  }),
  metrics: field(integer({ min: 1, max: 5_000 }).default(500), {
    description:
      "How many metrics are kept besides the gateway's own: those that are published. Each takes 33 kB of memory, 58 kB with Redis.",
  }),
})

/** What metrics were. */
export const historySchema = field(offOr(history).prefault({}), {
  description:
    'Whether it is kept what metrics were, for `/metrics/history`: in memory, and in Redis where there is one, for all gateways on it and beyond a restart. Needs `metrics`.',
})

const webhook = z
  .strictObject({
    url: field(httpUrl(), {
      description: 'Where it is posted to.',
      example: 'https://alerts.example.com/tidegate',
    }),
    secret: field(
      checked(secret(), (key) => {
        const text = key.reveal()
        return text.startsWith('whsec_') && isWebhookSecret(text)
          ? undefined
          : 'expected whsec_ and 24 to 64 random bytes as base64'
      }),
      {
        description:
          'What it is signed with, by Standard Webhooks: `whsec_` and 24 to 64 random bytes as base64.',
      },
    ),
    allowPrivate: field(boolean().default(false), {
      description: 'Whether that may be this machine or an address of a private network.',
    }),
  })
  .superRefine(({ url, allowPrivate }, context) => {
    const message = findWebhookFault(new URL(url), allowPrivate)
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['url'], message })
  })

function findWebhookFault(url: URL, allowPrivate: boolean): string | undefined {
  if (url.username !== '' || url.password !== '') {
    return 'must hold no user or password; what is posted is signed'
  }
  if (!isPostedTo(url, true)) return 'is an address that nothing is ever posted to'
  if (allowPrivate || (isPostedTo(url, false) && !/(?:^|\.)localhost\.?$/.test(url.hostname))) {
    return undefined
  }
  return 'is this machine or of a private network; set allowPrivate if that is meant'
}

function isPostedTo(url: URL, allowPrivate: boolean): boolean {
  try {
    createEgress({ private: allowPrivate ? 'allow' : 'deny' }).check(url)
    return true
  } catch {
    return false
  }
}

const anomalies = z.strictObject({
  threshold: field(integer({ min: 3, max: 100 }).default(6), {
    description:
      'How many standard deviations from its usual a value has to be: less finds more, and more that is nothing.',
  }),
  webhook: field(webhook.optional(), {
    description: 'Tells a service of yours when an anomaly begins, and when it has ended.',
  }),
})

/** What is out of the ordinary. */
export const anomaliesSchema = field(offOr(anomalies).prefault({}), {
  description:
    'Whether latency, the share of errors and the use of tokens are watched for what is unusual: it is logged, counted and told at `/metrics/anomalies`. Needs `history`.',
})
