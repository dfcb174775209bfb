import { type Provider, type RunningGateway, startGateway } from '@tidegate/testkit'

type Fields = Readonly<Record<string, unknown>>

export const providerKey = 'sk-provider-of-identity-tests'

/** A gateway that asks who is calling, before one provider that knows only the gateway's key. */
export async function gatewayFor(
  provider: Provider,
  auth: Fields,
  { route = {}, ...more }: { readonly route?: Fields } & Fields = {},
): Promise<RunningGateway> {
  const endpoints = [{ url: `${provider.url}/v1`, apiKey: providerKey }]
  const once = { retry: 'off', breaker: 'off' }
  return await startGateway({
    config: {
      version: 1,
      logging: { level: 'debug' },
      upstreams: {
        openai: { protocol: 'openai', ...once, endpoints },
        anthropic: { protocol: 'anthropic', ...once, endpoints },
        plain: { protocol: 'http', ...once, endpoints: [{ url: provider.url }] },
      },
      routes: [
        { match: '/v1/messages', upstreams: ['anthropic'], ...route },
        { match: '/v1/**', upstreams: ['openai'], ...route },
        { match: '/echo/**', upstreams: ['plain'], auth: 'optional' },
      ],
      auth,
      ...more,
    },
  })
}

/** What the gateway says to whoever sends these headers. */
export interface Said {
  readonly status: number
  readonly code: string | undefined
  readonly message: string | undefined
  readonly headers: Headers
}

export async function ask(
  gateway: RunningGateway,
  headers: Readonly<Record<string, string>> = {},
  path = '/v1/models',
): Promise<Said> {
  const response = await fetch(`${gateway.url}${path}`, { headers })
  const body = (await response.json()) as {
    readonly error?: { readonly code?: string; readonly message?: string }
  }
  const { code, message } = body.error ?? {}
  return { status: response.status, code, message, headers: response.headers }
}

export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` }
}
