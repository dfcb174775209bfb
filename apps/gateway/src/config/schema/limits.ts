import { field } from '@tidegate/config'
import { boolean, choice, integer, percent, rate } from '@tidegate/config/fields'
import { z } from 'zod'

/** How much may be used at once, or go on at a time. */
const AMOUNT = { min: 1, max: 1_000_000_000 }

const NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/

// They stand in headers and in Redis, beside names with dots of the gateway's own.
const name = z.string().regex(NAME, {
  error: 'up to 40 lower-case letters, digits, dashes and underscores',
})

const onStoreError = field(choice(['local', 'allow', 'deny']).default('local'), {
  description:
    "What holds while Redis is away: this gateway's share of the limit, everything, or nothing.",
})

const shadow = field(boolean().default(false), {
  description: 'Whether it only reports what it would deny.',
})

const overshoot = z.strictObject({
  maxOvershoot: field(percent(), {
    description: 'What may be admitted beyond the burst, as a share of it.',
  }),
})

const limit = z.strictObject({
  by: field(choice(['ip', 'key', 'user']), {
    description:
      'Who shares it: those of an address (IPv6: of a /56 network), of a key or token, or of a user. Who has no key or user is counted by what is there, in the end by address.',
    example: 'ip',
  }),
  rate: field(rate(), { description: 'How much in how long.', example: '100/1m' }),
  burst: field(integer(AMOUNT).optional(), {
    description: 'How many at once after a pause. Unset: the whole amount of `rate`.',
  }),
  algorithm: field(
    choice(['token-bucket', 'sliding-window', 'fixed-window']).default('token-bucket'),
    { description: 'How it is counted.' },
  ),
  precision: field(z.union([choice(['exact', 'leased']), overshoot]).default('exact'), {
    description:
      'With Redis: ask it about each request, or spend leases of it; neither admits more than the limit, save by `maxOvershoot`.',
  }),
  onStoreError,
  shadow,
})

/** Limits, by the names that routes use. */
export const limitsSchema = z.record(name, limit).default({})

const tier = z.strictObject({
  requests: field(rate().optional(), {
    description: 'How many requests in how long.',
    example: '60/1m',
  }),
  burst: field(integer(AMOUNT).optional(), {
    description: 'How many requests at once after a pause. Unset: the whole amount of `requests`.',
  }),
  tokens: field(rate().optional(), {
    description: 'How many tokens in how long, prompts and answers together.',
    example: '40k/1m',
  }),
  concurrent: field(integer(AMOUNT).optional(), {
    description: 'How many requests and streams at a time.',
    example: '5',
  }),
  onStoreError,
  shadow,
})

/** What the callers of a tier may use each. */
export const tiersSchema = z.record(name, tier).default({})
