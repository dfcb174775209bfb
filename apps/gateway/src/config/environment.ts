import { defineConfig, eachKnown, field, type Secret } from '@tidegate/config'
import { boolean, secret } from '@tidegate/config/fields'
import { z } from 'zod'
import { findEndpointFault } from './addresses.ts'
import { checked, findCredentialFault } from './schema/checked.ts'
import type { GatewayInput } from './schema/gateway.ts'

/** Variables that users know and that have no effect in this version. */
export const LATER_VARIABLES = [
  ...['RATE_LIMIT_ENABLED', 'RATE_LIMIT_PER_MINUTE', 'RATE_LIMIT_BURST', 'RATE_LIMIT_REQUESTS'],
  ...['RATE_LIMIT_WINDOW', 'MAX_CONCURRENT_SESSIONS', 'REDIS_URL', 'REDIS_MAX_CONNECTIONS'],
  ...['REDIS_TIMEOUT', 'REDIS_USE_SSL', 'REDIS_CA_CERT_PATH', 'REDIS_PASSWORD'],
  ...['BACKEND_TIMEOUT_CONNECT', 'BACKEND_TIMEOUT_READ', 'BACKEND_MAX_CONNECTIONS'],
  ...['BACKEND_MAX_RETRIES', 'BACKEND_CIRCUIT_BREAKER_FAILURE_THRESHOLD', 'DATABASE_URL'],
  ...['ENCRYPTION_SECRET', 'ENCRYPTION_SECRET_PREVIOUS', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  ...['MONGODB_URI', 'PINECONE_API_KEY'],
] as const

function credential(env: string, description: string) {
  return field(checked(secret(), findCredentialFault).optional(), { env, description })
}

function address(env: string, description: string, example: string) {
  return field(checked(z.string(), findEndpointFault).optional(), { env, description, example })
}

const providers = z
  .strictObject({
    openaiKey: credential('OPENAI_API_KEY', 'Serves `/v1/**` from OpenAI with this key.'),
    openaiUrl: address(
      'OPENAI_BASE_URL',
      'Where that is, for another service that speaks the same API.',
      'http://localhost:11434/v1',
    ),
    anthropicKey: credential('ANTHROPIC_API_KEY', 'Serves `/v1/messages` from Anthropic.'),
    anthropicUrl: address('ANTHROPIC_BASE_URL', 'Where that is.', 'https://api.anthropic.com/v1'),
    backendUrl: address(
      'BACKEND_SERVICE_URL',
      'Serves `/companion/**` from a service of your own.',
      'http://localhost:8084',
    ),
    backendKey: credential('BACKEND_API_KEY', 'Sent to that service as a Bearer token.'),
  })
  .prefault({})

type Providers = z.output<typeof providers>

const debug = field(boolean().default(false), {
  env: 'DEBUG',
  description:
    'Logs at `debug` unless `LOG_LEVEL` is set, and shows where a failed start comes from.',
})

const later = z
  .strictObject(
    Object.fromEntries(
      LATER_VARIABLES.map((env) => [
        env,
        field(z.string().optional(), { env, description: 'Not built yet: no effect.' }),
      ]),
    ),
  )
  .prefault({})

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

/** The variables that make upstreams and routes when there is no file. */
export const providersDefinition = defineConfig({
  name: 'tidegate',
  schema: z.strictObject({ providers }),
})

/** Upstreams and routes that variables made. */
export interface EnvironmentSetup {
  /** What a file would have said. */
  readonly input: Pick<GatewayInput, 'upstreams' | 'routes'>
  /** For each upstream's name the variable it comes from. */
  readonly variables: Readonly<Record<string, string>>
  /** The name of the upstream that is the local demo model, if one is. */
  readonly demo: string | undefined
}

interface Part {
  readonly name: string
  readonly variable: string
  readonly upstream: GatewayInput['upstreams'][string]
  readonly routes: GatewayInput['routes']
}

/**
 * Upstreams and routes as the variables describe them; the demo model where no provider is named. A
 * provider of which a variable is wrong is left out.
 */
export function setUpFromEnvironment({
  providers: given,
}: {
  readonly providers: Providers
}): EnvironmentSetup {
  const ai = eachKnown([anthropic, openai], (describe) => describe(given))
  const parts = [
    ...(ai.length > 0 ? ai : [demo]),
    ...eachKnown([backend], (describe) => describe(given)),
  ]
  return {
    input: {
      upstreams: Object.fromEntries(parts.map(({ name, upstream }) => [name, upstream])),
      routes: parts.flatMap(({ routes }) => routes),
    },
    variables: Object.fromEntries(parts.map(({ name, variable }) => [name, variable])),
    demo: ai.length > 0 ? undefined : demo.name,
  }
}

const demo: Part = {
  name: 'demo',
  variable: 'OPENAI_API_KEY',
  // Stands for the address that the demo model gets when it starts.
  upstream: { protocol: 'openai', endpoints: [{ url: 'http://127.0.0.1/v1' }] },
  routes: [{ match: '/v1/**', upstreams: ['demo'] }],
}

// Listed before OpenAI's, whose route is broader.
function anthropic({ anthropicKey, anthropicUrl }: Providers): readonly Part[] {
  if (anthropicKey === undefined && anthropicUrl === undefined) return []
  const url = anthropicUrl ?? 'https://api.anthropic.com/v1'
  return [
    {
      name: 'anthropic',
      variable: anthropicKey === undefined ? 'ANTHROPIC_BASE_URL' : 'ANTHROPIC_API_KEY',
      upstream: { protocol: 'anthropic', endpoints: [endpoint(url, anthropicKey)] },
      routes: [
        { match: '/v1/messages', upstreams: ['anthropic'] },
        { match: '/v1/messages/**', upstreams: ['anthropic'] },
      ],
    },
  ]
}

function openai({ openaiKey, openaiUrl }: Providers): readonly Part[] {
  if (openaiKey === undefined && openaiUrl === undefined) return []
  const url = openaiUrl ?? 'https://api.openai.com/v1'
  return [
    {
      name: 'openai',
      variable: openaiKey === undefined ? 'OPENAI_BASE_URL' : 'OPENAI_API_KEY',
      upstream: { protocol: 'openai', endpoints: [endpoint(url, openaiKey)] },
      routes: [{ match: '/v1/**', upstreams: ['openai'] }],
    },
  ]
}

function backend({ backendUrl, backendKey }: Providers): readonly Part[] {
  if (backendUrl === undefined) return []
  return [
    {
      name: 'companion',
      variable: 'BACKEND_SERVICE_URL',
      upstream: { protocol: 'http', endpoints: [endpoint(backendUrl, backendKey)] },
      routes: [
        {
          match: '/companion/**',
          upstreams: ['companion'],
          stripPrefix: '/companion',
          auth: 'none',
        },
      ],
    },
  ]
}

// Revealed for the layer that is read like a file's content, which becomes a Secret again.
function endpoint(url: string, apiKey: Secret | undefined): { url: string; apiKey?: string } {
  return { url, ...(apiKey !== undefined && { apiKey: apiKey.reveal() }) }
}
