import { defineConfig, field, loadConfig, type Secret } from '@tidegate/config'
import { port, secret } from '@tidegate/config/fields'
import { z } from 'zod'

export interface Config {
  readonly port: number
  readonly apiKey: Secret
}

const definition = defineConfig({
  name: 'orders',
  schema: z.strictObject({
    port: field(port().default(3000), { env: 'PORT', description: 'Where the server listens.' }),
    apiKey: field(secret({ minLength: 16, published: ['change-me-change-me'] }), {
      env: 'API_KEY',
      description: 'What callers send as a bearer token.',
    }),
  }),
})

/** Reads the configuration from the environment; everything that is wrong is in one error. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return loadConfig(definition, { env, dotenv: false }).config
}
