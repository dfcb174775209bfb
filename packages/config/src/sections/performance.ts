import { z } from 'zod'
import { field } from '../core/field.ts'
import { boolean, choice } from '../fields/choices.ts'
import { duration } from '../fields/duration.ts'
import { integer } from '../fields/numbers.ts'

/** What makes a program fast and what that costs. */
export const performanceSection = z.strictObject({
  cache: field(boolean().prefault(true), {
    env: 'CACHE_ENABLED',
    description: 'Keep results and answer with them again.',
  }),
  cacheTtl: field(duration({ unit: 's' }).prefault('5m'), {
    env: 'CACHE_TTL',
    description: 'How long a result is kept unless said otherwise. A plain number counts seconds.',
  }),
  compression: field(boolean().prefault(true), {
    env: 'COMPRESSION_ENABLED',
    description: 'Compress our own responses for clients that accept it.',
  }),
  workers: field(z.union([choice(['auto']), integer({ min: 1, max: 1024 })]).prefault(1), {
    env: 'WORKERS',
    description: 'How many processes share the work; auto is one per core.',
  }),
})
