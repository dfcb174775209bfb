import { defineConfig, field, loadConfig, type Secret } from '@tidegate/config'
import { duration, port, secret } from '@tidegate/config/fields'
import { z } from 'zod'

export interface Config {
  readonly port: number
  /** Milliseconds. */
  readonly timeout: number
  readonly signingKey: Secret
}

const definition = defineConfig({
  name: 'tickets',
  schema: z.strictObject({
    port: field(port().default(3000), { env: 'PORT', description: 'Where the server listens.' }),
    timeout: field(duration().default(5000), {
      env: 'TIMEOUT',
      description: 'The longest a request may take to arrive.',
    }),
    signingKey: field(secret({ minLength: 16 }), {
      env: 'SIGNING_KEY',
      description: 'Signs the tickets.',
    }),
  }),
})

/** Reads the configuration from the environment; everything that is wrong is in one error. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return loadConfig(definition, { env, dotenv: false }).config
}
