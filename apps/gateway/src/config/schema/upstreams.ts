import { field } from '@tidegate/config'
import { choice, duration, secret } from '@tidegate/config/fields'
import { z } from 'zod'
import { findEndpointFault } from '../addresses.ts'
import { checked, findCredentialFault } from './checked.ts'
import { resilienceShape } from './resilience.ts'
import { LONGEST_MS } from './server.ts'

/** How long an answer may take to begin where nothing else is said. */
export const FIRST_BYTE_MS = 60_000

/** How long a whole call may take where nothing else is said. */
export const TOTAL_MS = 600_000

// A variable's text is read as the number it is.
const weight = z.preprocess(
  (written) =>
    typeof written === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(written) ? Number(written) : written,
  z.number().min(0.001).max(1000),
)

const endpoint = z.strictObject({
  url: field(checked(z.string(), findEndpointFault), {
    description: "The provider's base address. A path `/v1` overlaps a route's `/v1` once.",
    example: 'https://api.openai.com/v1',
  }),
  apiKey: field(checked(secret(), findCredentialFault).optional(), {
    description: "Sent instead of the client's credential. Keep it in a variable.",
    example: `\${OPENAI_API_KEY}`,
  }),
  weight: field(weight.default(1), {
    description: "Its share of the requests beside the others', from 0.001 to 1000.",
  }),
})

const model = field(z.string().min(1), {
  description: "The upstream's name of the model; anything else of the body stays as it is.",
  example: 'gpt-4o-mini',
})

const timeouts = z
  .strictObject({
    connect: field(duration({ min: 1, max: LONGEST_MS }).default(2000), {
      description: 'To connect, TLS included.',
    }),
    firstByte: field(duration({ min: 1, max: LONGEST_MS }).default(FIRST_BYTE_MS), {
      description:
        "From an attempt's request to the first byte of its answer's body; on `http` to its head.",
    }),
    idle: field(duration({ min: 1, max: LONGEST_MS }).default(60_000), {
      description: 'The longest silence inside a response.',
    }),
    total: field(duration({ min: 1, max: LONGEST_MS }).default(TOTAL_MS), {
      description:
        'The whole call with all its attempts; at its end the client gets a 504 or an error in the stream.',
    }),
  })
  .prefault({})

/** One provider or service behind the gateway. */
const upstreamSchema = z.strictObject({
  protocol: field(choice(['openai', 'anthropic', 'http']), {
    description: 'What it speaks: decides paths, the credential header and the form of errors.',
  }),
  endpoints: field(z.array(endpoint).min(1), {
    description: 'Where it is. Requests go to the less busy of two, by weight.',
  }),
  models: field(z.record(z.string().min(1), model).default({}), {
    description: 'Names of your own for its models. On failover each upstream has its own names.',
  }),
  timeouts,
  ...resilienceShape,
})

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** All of them, by the names that routes use. */
export const upstreamsSchema = z
  .record(
    z.string().regex(NAME, { error: 'up to 64 letters, digits, dots, dashes and underscores' }),
    upstreamSchema,
  )
  .refine((upstreams) => Object.keys(upstreams).length > 0, { error: 'names no upstream' })
