import { defineConfig, field, loadConfig } from '@tidegate/config'
import { port } from '@tidegate/config/fields'
import { z } from 'zod'

export interface Config {
  readonly port: number
  readonly adminKey: string
}

const definition = defineConfig({
  name: 'orders',
  schema: z.strictObject({
    port: field(port().default(3000), { env: 'PORT', description: 'Where the server listens.' }),
    adminKey: field(z.string().default('dev'), {
      env: 'ADMIN_KEY',
      description: 'Who sends it as x-admin-key may see why something is unhealthy.',
    }),
  }),
})

/** Reads the configuration from the environment; everything that is wrong is in one error. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return loadConfig(definition, { env, dotenv: false }).config
}
