import { field } from '@tidegate/config'
import { choice, duration, offOr, percent, secret } from '@tidegate/config/fields'
import { z } from 'zod'
import { findEndpointFault } from '../addresses.ts'
import { checked, findCredentialFault } from './checked.ts'
import { later } from './later.ts'
import { LONGEST_MS } from './server.ts'

const endpoint = z.strictObject({
  url: field(checked(z.string(), findEndpointFault), {
    description: "The provider's base address. A path `/v1` overlaps a route's `/v1` once.",
    example: 'https://api.openai.com/v1',
  }),
  apiKey: field(checked(secret(), findCredentialFault).optional(), {
    description: "Sent instead of the client's credential. Keep it in a variable.",
    example: `\${OPENAI_API_KEY}`,
  }),
  weight: later('weighing endpoints', [1]),
})

const timeouts = z
  .strictObject({
    connect: field(duration({ min: 1, max: LONGEST_MS }).default(2000), {
      description: 'To connect, TLS included.',
    }),
    firstByte: field(duration({ min: 1, max: LONGEST_MS }).default(60_000), {
      description: "From the request to the response's head.",
    }),
    idle: field(duration({ min: 1, max: LONGEST_MS }).default(60_000), {
      description: 'The longest silence inside a response.',
    }),
    total: field(duration({ min: 1, max: LONGEST_MS }).default(600_000), {
      description: 'The whole call; at its end the client gets a 504 or an error in the stream.',
    }),
  })
  .prefault({})

const hedge = z.strictObject({
  after: later('hedging'),
  budget: field(percent().optional(), { description: 'Has no effect while `after` is off.' }),
})

/** One provider or service behind the gateway. */
const upstreamSchema = z.strictObject({
  protocol: field(choice(['openai', 'anthropic', 'http']), {
    description: 'What it speaks: decides paths, the credential header and the form of errors.',
  }),
  endpoints: field(z.array(endpoint).min(1), { description: 'Where it is: one address so far.' }),
  models: later('renaming models', [{}]),
  timeouts,
  retry: later('retrying', ['off', false, { retries: 0 }]),
  breaker: later('the circuit breaker'),
  concurrency: later('the bulkhead'),
  hedge: offOr(hedge).optional(),
})

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** All of them, by the names that routes use. */
export const upstreamsSchema = z
  .record(
    z.string().regex(NAME, { error: 'up to 64 letters, digits, dots, dashes and underscores' }),
    upstreamSchema,
  )
  .refine((upstreams) => Object.keys(upstreams).length > 0, { error: 'names no upstream' })
