import { type GatewayConfig, type RunningGateway, startGateway } from '@tidegate/testkit'

/** What differs from the plainest gateway: one route for everything, open to everybody. */
export interface OneRoute {
  readonly protocol?: 'openai' | 'anthropic' | 'http'
  readonly timeouts?: Readonly<Record<string, string>>
  readonly server?: Readonly<Record<string, unknown>>
  readonly apiKey?: string
  readonly keys?: readonly Readonly<Record<string, string>>[]
  readonly env?: Readonly<Record<string, string>>
}

/** The configuration of a gateway whose only upstream, `up`, is at `url`. */
export function oneRoute(url: string, options: OneRoute = {}): GatewayConfig {
  const { protocol = 'http', timeouts = {}, server = {}, apiKey, keys } = options
  return {
    version: 1,
    server,
    upstreams: {
      up: {
        protocol,
        retry: 'off',
        breaker: 'off',
        endpoints: [{ url, ...(apiKey !== undefined && { apiKey }) }],
        timeouts,
      },
    },
    routes: [{ match: '/**', upstreams: ['up'], auth: keys === undefined ? 'none' : 'required' }],
    ...(keys !== undefined && { auth: { keys } }),
  }
}

/** Starts that gateway. */
export async function gatewayTo(url: string, options: OneRoute = {}): Promise<RunningGateway> {
  return await startGateway({
    config: oneRoute(url, options),
    ...(options.env !== undefined && { env: options.env }),
  })
}
