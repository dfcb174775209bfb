import { defineConfig, field } from '@tidegate/config'
import { boolean } from '@tidegate/config/fields'
import { z } from 'zod'
import { textVariables } from './text-variables.ts'

/** Variables that users know and that have no effect in this version. */
export const LATER_VARIABLES = [
  ...['DATABASE_URL'],
  ...['ENCRYPTION_SECRET', 'ENCRYPTION_SECRET_PREVIOUS'],
] as const

const debug = field(boolean().default(false), {
  env: 'DEBUG',
  description:
    'Logs at `debug` unless `LOG_LEVEL` is set, and shows where a failed start comes from.',
})

const later = textVariables(LATER_VARIABLES, 'Not built yet: no effect.')

/** What the environment alone can say, when a file describes upstreams and routes. */
export const processDefinition = defineConfig({
  name: 'tidegate',
  schema: z.strictObject({ debug, later }),
  refine: (config) =>
    Object.entries(config.later)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => ({
        path: ['later', name],
        code: 'not_built_yet',
        severity: 'warning',
        message: 'set, but what it configures is not built yet: no effect',
      })),
})
