import { Secret } from '@tidegate/config'
import { afterAll, describe, expect, it } from 'vitest'
import type { Protocol, UpstreamSettings } from '../config/settings.ts'
import { createUpstream, type Upstream } from './upstream.ts'

const built: Upstream[] = []
afterAll(() => Promise.all(built.map((each) => each.pool.destroy())))

function upstream(protocol: Protocol, url: string, apiKey?: string): Upstream {
  const settings: UpstreamSettings = {
    name: 'u',
    protocol,
    endpoint: { url: new URL(url), apiKey: apiKey === undefined ? undefined : new Secret(apiKey) },
    timeouts: { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 },
    demo: false,
  }
  const made = createUpstream(settings)
  built.push(made)
  return made
}

describe('the target on an upstream', () => {
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
    expect(upstream(protocol, url).target(path, '')).toBe(target)
  })

  it('keeps the query as it came', () => {
    expect(upstream('http', 'http://h').target('/a', '?b=%20&c=d%2Fe&&')).toBe('/a?b=%20&c=d%2Fe&&')
  })

  it('is the root when the prefix was all there was', () => {
    expect(upstream('http', 'http://h').target('', '?a=1')).toBe('/?a=1')
  })
})

describe("the endpoint's credential", () => {
  it('is a Bearer token, or what Anthropic asks for', () => {
    expect(upstream('openai', 'http://h', 'k').credentials.replacement).toEqual([
      'authorization',
      'Bearer k',
    ])
    expect(upstream('anthropic', 'http://h', 'k').credentials.replacement).toEqual([
      'x-api-key',
      'k',
    ])
    expect(upstream('http', 'http://h').credentials.replacement).toBeUndefined()
  })
})
