import { field } from '@tidegate/config'
import {
  boolean,
  byteSize,
  choice,
  duration,
  integer,
  list,
  offOr,
  percent,
  rate,
} from '@tidegate/config/fields'
import { z } from 'zod'
import { checked } from './checked.ts'
import { LONGEST_MS } from './server.ts'

/** An answer that is kept for longer is more likely a slip than a wish. */
const LONGEST_KEPT_MS = 30 * LONGEST_MS

const scope = choice(['key', 'user', 'public'])

const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/i

const header = checked(z.string(), (name) =>
  HEADER.test(name) ? undefined : 'expected the name of a header such as accept-language',
)

const ttl = (): ReturnType<typeof duration> => duration({ min: 1000, max: LONGEST_KEPT_MS })

const kept = z.strictObject({
  ttl: field(ttl(), {
    description:
      "How long an answer is served again; an upstream's own Cache-Control can only shorten it.",
    example: '5m',
  }),
  stale: field(duration({ max: LONGEST_KEPT_MS }).default(0), {
    description: 'For how long after that it still is, while a new one is fetched behind it.',
  }),
  staleOnError: field(duration({ max: LONGEST_KEPT_MS }).optional(), {
    description:
      'For how long after `ttl` it is served when no upstream answers well. Unset: as `stale`.',
  }),
  scope: field(scope.default('key'), {
    description:
      'Who gets the answer again: the same key or token, the same user, or everybody (`public`).',
  }),
  vary: field(list(header).default([]), {
    description:
      'Headers of the request that make another answer of it, besides those that always do.',
    example: 'accept-language',
  }),
  methods: field(list(choice(['GET', 'POST'])).optional(), {
    description:
      'On protocol `http`: what is cached, where a POST only asks as well. Unset: GET. AI protocols cache what their endpoints allow.',
    example: 'GET',
  }),
  hitCost: field(percent().default(0), {
    description:
      "What an answer from the cache, or shared with another request, costs of the caller's token limit: a share of what it cost its first.",
  }),
})

/** Which answers of a route are kept and served again. */
export const routeCacheSchema = field(offOr(z.union([ttl(), kept])).optional(), {
  description:
    'Whether whole answers, streams among them, are kept and served again: a duration, or more exactly. Off unless set.',
  example: '5m',
})

const shared = z.strictObject({
  scope: field(scope.optional(), {
    description: 'Who shares: as in `cache`, which says it where there is one. Unset: `key`.',
  }),
  cluster: field(boolean().default(false), {
    description: 'Whether gateways on one Redis share too.',
  }),
})

/** Whether identical requests that are under way share one call. */
export const coalesceSchema = field(z.union([boolean(), choice(['cluster']), shared]).optional(), {
  description:
    'Whether identical requests of one caller that are under way at the same time share one call to the upstream; `cluster`: also those on other gateways of one Redis. Unset: where there is a `cache`.',
})

/** For how long a request with an Idempotency-Key is remembered. */
export const idempotencySchema = field(
  offOr(duration({ min: 1000, max: 7 * LONGEST_MS })).optional(),
  {
    description:
      'For how long the answer to a POST or PATCH with an `Idempotency-Key` is replayed to its repeats. Off unless set.',
    example: '24h',
  },
)

const warm = z
  .strictObject({
    atStart: field(boolean().default(false), {
      description:
        'Whether the popular answers that are gone are fetched when the gateway starts …',
    }),
    every: field(offOr(duration({ min: 10_000, max: LONGEST_MS })).prefault('off'), {
      description: '… and how often while it runs.',
    }),
    entries: field(integer({ min: 1, max: 10_000 }).default(100), {
      description: 'How many of the most popular are looked at each time.',
    }),
    budget: field(rate().default({ amount: 100, windowMs: 3_600_000 }), {
      description: 'How many calls to upstreams warming may make in how long, in one gateway.',
    }),
  })
  .prefault({})

/** Where answers are kept, for all routes together. */
export const cacheSchema = z
  .strictObject({
    entries: field(integer({ min: 1, max: 10_000_000 }).default(10_000), {
      description: 'The most answers kept in memory.',
    }),
    memory: field(byteSize({ min: 64 * 1024 }).default(64 * 1024 * 1024), {
      description: 'The most memory they take. What was not asked for longest goes first.',
    }),
    maxAnswer: field(byteSize({ min: 1024, max: 8 * 1024 * 1024 }).default(1024 * 1024), {
      description: 'The largest answer that is kept.',
    }),
    warm,
  })
  .prefault({})
