import { z } from 'zod'
import { field } from '../core/field.ts'
import { boolean } from '../fields/choices.ts'
import { duration } from '../fields/duration.ts'
import { integer } from '../fields/numbers.ts'
import { connectionUrl } from '../fields/texts.ts'

/** A PostgreSQL database. Without `url` an application uses what it has built in. */
export const databaseSection = z.strictObject({
  url: field(connectionUrl({ protocols: ['postgres', 'postgresql'] }).optional(), {
    env: 'DATABASE_URL',
    description: 'The PostgreSQL database. Unset: the embedded one.',
    example: 'postgres://user:password@localhost:5432/tidegate',
  }),
  pool: field(integer({ min: 1, max: 10_000 }).prefault(10), {
    env: 'DATABASE_POOL_SIZE',
    description: 'The most connections held open at once.',
  }),
  connectTimeout: field(duration({ unit: 's', min: 1 }).prefault('10s'), {
    env: 'DATABASE_CONNECT_TIMEOUT',
    description: 'How long a connection may take to open. A plain number counts seconds.',
  }),
  statementTimeout: field(duration({ unit: 's', min: 1 }).prefault('30s'), {
    env: 'DATABASE_STATEMENT_TIMEOUT',
    description: 'How long one statement may run. A plain number counts seconds.',
  }),
  logQueries: field(boolean().prefault(false), {
    env: 'DATABASE_LOG_QUERIES',
    description: 'Log each query, without its parameters.',
  }),
})
