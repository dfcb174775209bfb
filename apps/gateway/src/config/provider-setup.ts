import { eachKnown, type Secret } from '@tidegate/config'
import type { Providers } from './providers.ts'
import type { GatewayInput } from './schema/gateway.ts'
import { TOTAL_MS } from './schema/upstreams.ts'

/** Upstreams and routes that variables made. */
export interface EnvironmentSetup {
  /** What a file would have said. */
  readonly input: Pick<GatewayInput, 'upstreams' | 'routes' | 'limits'>
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
 * provider of which a variable is wrong is left out. `limits` hold on every route.
 */
export function setUpFromEnvironment(
  { providers: given }: { readonly providers: Providers },
  limits: NonNullable<GatewayInput['limits']>,
): EnvironmentSetup {
  const ai = eachKnown([anthropic, openai], (describe) => describe(given))
  const parts = [
    ...(ai.length > 0 ? ai : [demo]),
    ...eachKnown([backend], (describe) => describe(given)),
  ]
  return {
    input: {
      upstreams: Object.fromEntries(parts.map(({ name, upstream }) => [name, upstream])),
      routes: parts.flatMap(({ routes }) =>
        routes.map((route) => ({ ...route, limits: Object.keys(limits) })),
      ),
      limits,
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

// What is not set is as users know it from the service's own client.
function backend(given: Providers): readonly Part[] {
  const {
    backendUrl,
    backendKey,
    backendConnect: connect = 10_000,
    backendRead: read = 30_000,
  } = given
  if (backendUrl === undefined) return []
  return [
    {
      name: 'companion',
      variable: 'BACKEND_SERVICE_URL',
      upstream: {
        protocol: 'http',
        endpoints: [endpoint(backendUrl, backendKey)],
        timeouts: { connect, firstByte: read, idle: read, total: Math.max(read, TOTAL_MS) },
        retry: { retries: given.backendRetries ?? 3 },
        breaker: { failures: given.backendFailures ?? 5 },
        concurrency: { max: given.backendConnections ?? 100 },
      },
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
