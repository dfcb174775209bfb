import { field } from '@tidegate/config'
import { duration, offOr, rate } from '@tidegate/config/fields'
import { z } from 'zod'
import { LONGEST_MS } from './server.ts'

/** What stops guessing. */
export const guardSchema = field(
  offOr(
    z.strictObject({
      failures: field(rate().prefault('20/1m'), {
        description:
          'So many wrong credentials from one network (an IPv4 address, a /56 of IPv6) are answered; the admin key is guarded alike.',
      }),
      block: field(duration({ min: 1000, max: LONGEST_MS }).default(300_000), {
        description:
          'For so long after the last of them it is answered 429, but for credentials that have been right there before.',
      }),
    }),
  ).prefault({}),
  { description: 'A guard against guessing credentials, or `off`.' },
)
