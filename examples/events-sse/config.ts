import { defineConfig, field, loadConfig } from '@tidegate/config'
import { port } from '@tidegate/config/fields'
import { z } from 'zod'

export interface Config {
  readonly port: number
}

const definition = defineConfig({
  name: 'parcels',
  schema: z.strictObject({
    port: field(port().default(3000), { env: 'PORT', description: 'Where the server listens.' }),
  }),
})

/** Reads the configuration from the environment; everything that is wrong is in one error. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return loadConfig(definition, { env, dotenv: false }).config
}
