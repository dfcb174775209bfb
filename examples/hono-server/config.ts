import { defineConfig, field, type LoadedConfig, loadConfig } from '@tidegate/config'
import { duration, list, port } from '@tidegate/config/fields'
import { z } from 'zod'

const definition = defineConfig({
  name: 'quotes',
  schema: z.strictObject({
    port: field(port().default(3000), { env: 'PORT', description: 'Where the server listens.' }),
    timeout: field(duration().default(2000), {
      env: 'TIMEOUT',
      description: 'The longest a request may take.',
    }),
    origins: field(list().default([]), {
      env: 'CORS_ORIGINS',
      description: 'Browser origins that may call in production.',
    }),
    trustedProxies: field(list().default([]), {
      env: 'TRUSTED_PROXIES',
      description: 'Networks whose X-Forwarded-For is believed.',
    }),
  }),
})

export type Config = LoadedConfig<z.output<typeof definition.schema>>

/** Reads the configuration and the profile from the environment; everything that is wrong is in one error. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return loadConfig(definition, { env, dotenv: false })
}
