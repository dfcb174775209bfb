import { field } from '@tidegate/config'
import { z } from 'zod'
import { authSchema } from './auth.ts'
import { healthSchema } from './health.ts'
import { limitsSchema, tiersSchema } from './limits.ts'
import { loggingSchema } from './logging.ts'
import { redisSchema } from './redis.ts'
import { routeSchema } from './routes.ts'
import { adminSchema, serverSchema } from './server.ts'
import { sessionsSchema } from './sessions.ts'
import { cacheSchema } from './sharing.ts'
import { telemetrySchema } from './telemetry.ts'
import { upstreamsSchema } from './upstreams.ts'

/** The configuration file: the gateway's public contract. */
export const gatewaySchema = z.strictObject({
  version: field(z.literal(1), { description: "The form's version, which is 1." }),
  server: serverSchema,
  admin: adminSchema,
  logging: loggingSchema,
  redis: redisSchema,
  upstreams: upstreamsSchema,
  routes: field(z.array(routeSchema).min(1), {
    description: 'Which requests go where. The first whose `match` fits wins.',
  }),
  limits: limitsSchema,
  tiers: tiersSchema,
  auth: authSchema,
  sessions: sessionsSchema,
  cache: cacheSchema,
  telemetry: telemetrySchema,
  health: healthSchema,
})

/** A configuration as its schema gives it: parsed and complete, not yet compiled. */
export type GatewayConfig = z.output<typeof gatewaySchema>

/** A configuration as a file says it. */
export type GatewayInput = z.input<typeof gatewaySchema>
