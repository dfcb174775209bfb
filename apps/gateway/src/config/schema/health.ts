import { field } from '@tidegate/config'
import {
  boolean,
  connectionUrl,
  duration,
  httpUrl,
  integer,
  list,
  offOr,
  percent,
  secret,
} from '@tidegate/config/fields'
import { mongodbCheck } from '@tidegate/health/checks'
import { z } from 'zod'
import { checked, findCredentialFault } from './checked.ts'
import { LONGEST_MS } from './server.ts'

const NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/

const name = z.string().regex(NAME, {
  error: 'up to 40 lower-case letters, digits, dashes and underscores',
})

const mongodbUri = checked(secret(), (uri) => {
  try {
    mongodbCheck({ uri })
    return undefined
  } catch {
    return 'expected a connection string such as mongodb://host:27017 or mongodb+srv://host'
  }
})

const pineconeKey = checked(secret(), (key) =>
  /^[\x21-\x7e]+$/.test(key.reveal()) ? undefined : 'must hold printable characters alone',
)

const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, { error: 'expected a name of a header' })

const headerValue = checked(secret(), (value) =>
  /^[\x20-\x7e]*$/.test(value.reveal())
    ? findCredentialFault(value)
    : 'must hold printable characters alone',
)

const status = integer({ min: 100, max: 599 })

const check = z.strictObject({
  url: field(httpUrl().optional(), {
    description: 'An address that answers as expected. With `pinecone`: where Pinecone is.',
    example: 'https://prices.example.com/status',
  }),
  expectStatus: field(z.union([status, z.array(status).min(1)]).optional(), {
    description: 'The status, or statuses, of a good answer of `url`. Unset: 200 to 299.',
    example: '200',
  }),
  expectBody: field(z.string().min(1).optional(), {
    description: 'A text that is in the first 64 KiB of a good answer of `url`.',
  }),
  headers: field(z.record(headerName, headerValue).optional(), {
    description: 'Headers that are sent to `url`. Keep credentials in variables.',
  }),
  redis: field(connectionUrl({ protocols: ['redis', 'rediss'] }).optional(), {
    description: 'Or a Redis: whether it answers, its memory, clients and replication.',
  }),
  mongodb: field(mongodbUri.optional(), {
    description: 'Or a MongoDB: whether its hosts answer. No password is sent.',
  }),
  pinecone: field(pineconeKey.optional(), {
    description: 'Or Pinecone: its API key. Keep it in a variable.',
    example: `\${PINECONE_API_KEY}`,
  }),
  index: field(z.string().min(1).optional(), {
    description: 'An index of `pinecone` that has to be ready.',
  }),
  critical: field(boolean().default(false), {
    description:
      'Whether no request can be served without it: while it is unhealthy, `/readyz` is red. What all gateways share turns all of them red at once.',
  }),
  timeout: field(duration({ min: 10, max: 60_000 }).default(5_000), {
    description: 'How long it may take; then it is unhealthy.',
  }),
  slow: field(duration({ min: 1, max: 60_000 }).optional(), {
    description: 'From how long on a good answer is `degraded`. Unset: never.',
  }),
  interval: field(duration({ min: 100, max: LONGEST_MS }).optional(), {
    description: 'How often to look. Unset: as `health.interval` says.',
  }),
})

const shedding = z.strictObject({
  maxDelay: field(duration({ min: 10, max: 60_000 }).default(500), {
    description:
      "The delay of the event loop from which on some requests are refused, 17 % at first and 95 % at twice that. Probes and the gateway's other endpoints never are.",
  }),
  maxUtilization: field(percent().optional(), {
    description:
      "The share of the event loop's time that is busy, from which on up to a fifth are refused. Unset: not looked at.",
    example: '99%',
  }),
})

/** What is looked at besides the traffic, and when requests are refused for the others' sake. */
export const healthSchema = z
  .strictObject({
    interval: field(duration({ min: 100, max: LONGEST_MS }).default(15_000), {
      description: 'How often checks look, in the background.',
    }),
    mongodb: field(mongodbUri.optional(), {
      env: 'MONGODB_URI',
      description: 'Looks at this MongoDB, as a check called `mongodb`. No password is sent.',
    }),
    pinecone: field(pineconeKey.optional(), {
      env: 'PINECONE_API_KEY',
      description: 'Looks at Pinecone with this key, as a check called `pinecone`.',
    }),
    checks: field(z.record(name, check).default({}), {
      description: 'What else to look at, by names that stand in `/health/{name}`.',
    }),
    required: field(list(z.string().min(1)).default([]), {
      description:
        "Variables that the process's environment has to have; while one is missing or blank, `/readyz` is red.",
      example: 'OPENAI_API_KEY',
    }),
    shedding: field(offOr(shedding).prefault('off'), {
      description:
        'Refusing requests with 503 `overloaded` while the process has too much to do, or `off`.',
    }),
  })
  .prefault({})

/** A check as it is written and parsed. */
export type CheckConfig = z.output<typeof check>
