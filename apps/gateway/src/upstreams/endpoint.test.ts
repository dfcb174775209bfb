import { Secret } from '@tidegate/config'
import { afterAll, describe, expect, it } from 'vitest'
import type { Protocol, UpstreamSettings } from '../config/settings.ts'
import { createEndpoint, type Endpoint } from './endpoint.ts'

const built: Endpoint[] = []
afterAll(() => Promise.all(built.map(({ pool }) => pool.destroy())))

function endpoint(protocol: Protocol, url: string, apiKey?: string): Endpoint {
  const settings = {
    url: new URL(url),
    apiKey: apiKey === undefined ? undefined : new Secret(apiKey),
    weight: 1,
  }
  const upstream: UpstreamSettings = {
    name: 'u',
    protocol,
    endpoints: [settings],
    models: new Map(),
    timeouts: { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 },
    retry: { retries: 0, initial: 1, max: 1, bodyLimit: 0, budget: 0, budgetFloor: 0 },
    breaker: undefined,
    concurrency: { max: 1, queue: 0 },
    hedge: undefined,
    demo: false,
  }
  const made = createEndpoint(upstream, settings, 0)
  built.push(made)
  return made
}

describe('the target on an endpoint', () => {
  it.each<[Protocol, string, string, string]>([
    ['openai', 'https://api.openai.com/v1', '/v1/models', '/v1/models'],
    ['openai', 'https://api.openai.com/v1/', '/v1/models', '/v1/models'],
    ['openai', 'https://api.openai.com', '/v1/models', '/v1/models'],
    ['openai', 'https://host/openai/v1', '/v1/chat/completions', '/openai/v1/chat/completions'],
    ['openai', 'https://host/api', '/v1/models', '/api/v1/models'],
    ['openai', 'https://host/v1', '/v1', '/v1'],
    ['openai', 'https://host/v1', '/v10/models', '/v1/v10/models'],
    ['anthropic', 'https://api.anthropic.com/v1', '/v1/messages', '/v1/messages'],
    ['http', 'http://host:8084', '/api/v1/x', '/api/v1/x'],
    ['http', 'http://host:8084/v1', '/v1/x', '/v1/v1/x'],
    ['http', 'http://host:8084/base/', '/', '/base/'],
  ])('on %s at %s takes %s to %s', (protocol, url, path, target) => {
    expect(endpoint(protocol, url).target(path, '')).toBe(target)
  })

  it('keeps the query as it came', () => {
    expect(endpoint('http', 'http://h').target('/a', '?b=%20&c=d%2Fe&&')).toBe('/a?b=%20&c=d%2Fe&&')
  })

  it('is the root when the prefix was all there was', () => {
    expect(endpoint('http', 'http://h').target('', '?a=1')).toBe('/?a=1')
  })
})

describe("the endpoint's credential", () => {
  it('is a Bearer token, or what Anthropic asks for', () => {
    expect(endpoint('openai', 'http://h', 'k').credentials.replacement).toEqual([
      'authorization',
      'Bearer k',
    ])
    expect(endpoint('anthropic', 'http://h', 'k').credentials.replacement).toEqual([
      'x-api-key',
      'k',
    ])
    expect(endpoint('http', 'http://h').credentials.replacement).toBeUndefined()
  })
})
