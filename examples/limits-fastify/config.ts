import { defineConfig, field, loadConfig } from '@tidegate/config'
import { list, port } from '@tidegate/config/fields'
import { z } from 'zod'

export interface Config {
  readonly port: number
  /** Addresses and networks. */
  readonly trustedProxies: readonly string[]
}

const definition = defineConfig({
  name: 'answers',
  schema: z.strictObject({
    port: field(port().default(3000), { env: 'PORT', description: 'Where the server listens.' }),
    trustedProxies: field(list().default([]), {
      env: 'TRUSTED_PROXIES',
      description: 'Networks whose X-Forwarded-For is believed.',
    }),
  }),
})

/** Reads the configuration from the environment; everything that is wrong is in one error. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return loadConfig(definition, { env, dotenv: false }).config
}
