import { field } from '@tidegate/config'
import { byteSize, choice, integer } from '@tidegate/config/fields'
import { z } from 'zod'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const file = z
  .strictObject({
    path: field(z.string(), {
      env: 'LOG_FILE',
      description:
        'Lines go to files instead of stdout. Date and number are put before the extension, and the folder is made.',
      example: 'logs/tidegate.log',
    }),
    maxSize: field(byteSize({ min: 1024 }).default(100 * 1024 * 1024), {
      description: 'The size at which the next file begins.',
    }),
    frequency: field(choice(['daily', 'hourly']).default('daily'), {
      description: 'How often the next file begins at the latest, in local time.',
    }),
    keep: field(integer({ min: 1, max: 10_000 }).default(10), {
      description: 'How many files stay, the current one among them.',
    }),
  })
  .optional()

/** What is logged, and where to. */
export const loggingSchema = z
  .strictObject({
    level: field(choice(LEVELS).default('info'), {
      env: 'LOG_LEVEL',
      description: 'The least severe lines that are written.',
    }),
    file,
  })
  .prefault({})
