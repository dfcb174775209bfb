import { field } from '@tidegate/config'
import { duration, integer } from '@tidegate/config/fields'
import { z } from 'zod'

/** How many sessions a user may have. */
export const sessionsSchema = z
  .strictObject({
    max: field(integer({ min: 1, max: 1_000 }).default(5), {
      env: 'MAX_CONCURRENT_SESSIONS',
      description: 'How many sessions one user may have open at a time.',
    }),
    ttl: field(duration({ min: 1_000, max: 30 * 86_400_000 }).default(3_600_000), {
      description:
        'How long a session stays open without a request, and how long an ended one is refused.',
    }),
  })
  .optional()
