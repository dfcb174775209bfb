import { field } from '@tidegate/config'
import { choice, integer, list, offOr } from '@tidegate/config/fields'
import { z } from 'zod'
import { parseMatch } from '../route-match.ts'
import { checked } from './checked.ts'
import { later } from './later.ts'
import { coalesceSchema, idempotencySchema, routeCacheSchema } from './sharing.ts'

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/(\*|[\w!#$&^.+-]+)$/

const contentType = checked(z.string(), (text) =>
  MEDIA_TYPE.test(text) ? undefined : 'expected a content type such as application/json',
)

const validate = z
  .strictObject({
    schema: field(z.record(z.string(), z.unknown()).optional(), {
      description: 'A JSON Schema that the body must satisfy.',
    }),
    required: field(list(z.string().min(1)).optional(), {
      description: 'Fields that the body must have.',
      example: 'model,messages',
    }),
    contentType: field(list(contentType).optional(), {
      description: 'Content types that are taken; others are answered with 415.',
      example: 'application/json',
    }),
  })
  .optional()

const stream = z
  .strictObject({
    holdBack: field(
      offOr(z.union([choice(['full']), integer({ min: 1, max: 10_000 })])).prefault('off'),
      {
        description:
          'How many events of a stream are kept back, so that one that breaks before can begin anew: a number, or `full` for all.',
      },
    ),
    resume: later('resuming a stream'),
  })
  .optional()

/** Which requests go where. */
export const routeSchema = z.strictObject({
  match: field(
    checked(z.string(), (text) => parseMatch(text).fault),
    {
      description:
        'The paths: literal segments, `*` for one segment, `**` at the end for any number.',
      example: '/v1/**',
    },
  ),
  upstreams: field(
    list().refine((names) => names.length > 0, { error: 'names no upstream' }),
    {
      description:
        'The upstream that answers, and those that are asked in this order when it fails; all of one protocol.',
      example: 'openai',
    },
  ),
  auth: field(choice(['required', 'optional', 'none']).optional(), {
    description:
      'Whether a client needs a key or a token. Unset: `required` when `auth` takes any, else `none`.',
  }),
  stripPrefix: field(z.string().optional(), {
    description:
      'What is taken off the path before it reaches the upstream; `match` begins with it.',
    example: '/companion',
  }),
  validate,
  limits: field(list().default([]), {
    description:
      "Which of `limits` hold here, and `tier` for those of the caller's tier. All are asked before anything is sent.",
    example: 'per-ip,tier',
  }),
  cache: routeCacheSchema,
  coalesce: coalesceSchema,
  idempotency: idempotencySchema,
  stream,
})
