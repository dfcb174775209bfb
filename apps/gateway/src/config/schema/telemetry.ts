import { field } from '@tidegate/config'
import { boolean, integer, offOr } from '@tidegate/config/fields'
import { z } from 'zod'
import { anomaliesSchema, historySchema } from './history.ts'
import { tracingSchema } from './tracing.ts'

const usd = (): z.ZodNumber => z.number().min(0).max(1_000_000)

const price = z.strictObject({
  input: field(usd(), {
    description: 'US dollars for a million tokens that go in …',
    example: '0.15',
  }),
  output: field(usd(), { description: '… and for a million that come out.', example: '0.6' }),
})

/** What the gateway tells of itself. */
export const telemetrySchema = z
  .strictObject({
    metrics: field(boolean().default(true), {
      description: 'Whether requests are counted and timed, and `/metrics` tells it.',
    }),
    models: field(integer({ min: 1, max: 1_000 }).default(100), {
      description:
        'How many models are told apart in metrics; any further ones are counted together as `other`.',
    }),
    topKeys: field(offOr(integer({ min: 1, max: 1_000 })).prefault('off'), {
      description:
        'How many of the busiest callers are counted each for itself, by the id of its key or the subject of its token; the rest together.',
      example: '20',
    }),
    prices: field(z.record(z.string().min(1), price).default({}), {
      description:
        'What models cost, by the name that requests give: requests to them add to `tidegate_cost_usd_total`.',
    }),
    tracing: tracingSchema,
    history: historySchema,
    anomalies: anomaliesSchema,
  })
  .prefault({})
