import { Secret } from '@tidegate/config'
import { describe, expect, it } from 'vitest'
import { banner } from './banner.ts'
import type { RouteSettings, Settings, UpstreamSettings } from './config/settings.ts'

const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 1 }

function upstream(
  name: string,
  url: string,
  more: Partial<UpstreamSettings> = {},
): UpstreamSettings {
  return {
    name,
    protocol: 'openai',
    endpoints: [endpoint(url, new Secret('CANARY'))],
    models: new Map(),
    timeouts,
    retry: { retries: 2, initial: 1, max: 1, bodyLimit: 1, budget: 0.2, budgetFloor: 10 },
    breaker: undefined,
    concurrency: { max: 1, queue: 1 },
    hedge: undefined,
    demo: false,
    ...more,
  }
}

function endpoint(url: string, apiKey?: Secret): UpstreamSettings['endpoints'][number] {
  return { url: new URL(url), apiKey, weight: 1 }
}

function route(match: string, to: string, more: Partial<RouteSettings> = {}): RouteSettings {
  return {
    match,
    upstreams: to.split(','),
    auth: 'none',
    limits: [],
    stripPrefix: '',
    validate: undefined,
    holdBack: 'off',
    cache: undefined,
    coalesce: undefined,
    idempotency: undefined,
    hitCost: 0,
    ...more,
  }
}

function settings(
  upstreams: readonly UpstreamSettings[],
  routes: readonly RouteSettings[],
  more: Partial<Settings> = {},
): Settings {
  return {
    profile: 'development',
    logLevel: 'info',
    server: {
      host: '127.0.0.1',
      port: 8000,
      trustedProxies: [],
      bodyLimit: 1,
      keepAlive: 1,
      maxConnections: 1,
      compression: true,
      cors: { origins: [] },
      guard: undefined,
      drain: { delay: 0, timeout: 0 },
      timeouts: { headers: 1, body: 1, write: 1 },
      tls: undefined,
    },
    admin: { key: undefined },
    redis: undefined,
    upstreams,
    routes,
    limits: [],
    tiers: [],
    keys: [],
    auth: { jwt: [], introspection: undefined, guard: undefined },
    sessions: undefined,
    cache: {
      ...{ entries: 1, memory: 1, maxAnswer: 1 },
      warm: { atStart: false, every: undefined, entries: 1, budget: { amount: 1, windowMs: 1 } },
    },
    health: { interval: 15_000, checks: [], required: [], shedding: undefined },
    telemetry: {
      ...{ metrics: true, models: 1, topKeys: undefined, prices: new Map(), tracing: undefined },
      ...{ history: undefined, anomalies: undefined },
    },
    debug: false,
    ...more,
  }
}

const limited = { limits: ['per-ip'] }

const openai = upstream('openai', 'https://api.openai.com/v1')
const demo = upstream('demo', 'http://127.0.0.1:1/v1', { demo: true })
const claude = upstream('anthropic', 'https://api.anthropic.com/v1', { protocol: 'anthropic' })
const service = upstream('companion', 'http://localhost:8084', { protocol: 'http' })
const local = upstream('local', 'http://localhost:11434/v1', {
  endpoints: [endpoint('http://localhost:11434/v1')],
})

function show(what: Settings, url = 'http://127.0.0.1:8000', warnings: string[] = []): string {
  return banner({ settings: what, url, warnings, color: false })
}

describe('banner', () => {
  it('says where, from what, to where and one request to try', () => {
    const routes = [
      route('/v1/messages', 'anthropic'),
      route('/v1/**', 'openai', { auth: 'required' }),
      route('/companion/**', 'companion', { stripPrefix: '/companion' }),
    ]
    const text = show(
      settings([claude, openai, service], routes, { configFile: 'tidegate.yaml' }),
      'http://0.0.0.0:8000',
      ['DATABASE_URL: set, but what it configures is not built yet: no effect'],
    )
    expect(text).toMatchInlineSnapshot(`
      "
        Tidegate listens on http://0.0.0.0:8000

        Configured by tidegate.yaml and the environment, profile development

        /v1/messages   → anthropic (api.anthropic.com)  no client key
        /v1/**         → openai (api.openai.com)        client key required
        /companion/**  → companion (localhost:8084)     no client key

        Try it:
        curl http://127.0.0.1:8000/v1/chat/completions \\
          -H 'authorization: Bearer YOUR_TIDEGATE_KEY' \\
          -H 'content-type: application/json' \\
          -d '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}'

        warning: DATABASE_URL: set, but what it configures is not built yet: no effect
      "
    `)
    expect(text).not.toContain('CANARY')
  })

  it('says clearly that the demo model is no AI', () => {
    const text = show(settings([demo], [route('/v1/**', 'demo')]))
    expect(text).toContain('local demo model, no AI: set OPENAI_API_KEY')
    expect(text).toContain('"model":"tidegate-demo"')
    expect(text).not.toContain('authorization')
  })

  it('says where a request goes on when an upstream fails', () => {
    const twice = { endpoints: [endpoint('http://a'), endpoint('http://b')] }
    const many = upstream('many', 'http://a', twice)
    const text = show(settings([openai, many], [route('/v1/**', 'openai,many')]))
    expect(text).toContain('/v1/**  → openai (api.openai.com), then many (2 endpoints)  no client')
  })

  it('asks for a model by the name that clients use for it', () => {
    const models = new Map([['fast', 'llama-3']])
    const renamed = upstream('local', 'http://localhost:11434/v1', { models })
    expect(show(settings([renamed], [route('/v1/**', 'local')]))).toContain('"model":"fast"')
  })

  it.each([
    ['the models of a service whose names nobody knows', local, '/v1/**', '/v1/models'],
    ['a message to Anthropic', claude, '/v1/**', '/v1/messages'],
    ['the path of a service', service, '/a/b/**', '/a/b'],
    ['what a route takes, else for ourselves', openai, '/v1/models', '/livez'],
  ])('asks for %s', (_, to, match, path) => {
    expect(show(settings([to], [route(match, to.name)]))).toContain(
      `curl http://127.0.0.1:8000${path}`,
    )
  })

  it("asks for the client's own key when it passes, and for ours when one is required", () => {
    expect(show(settings([local], [route('/v1/**', 'local')]))).toContain('YOUR_PROVIDER_KEY')
    const required = route('/v1/**', 'local', { auth: 'required' })
    expect(show(settings([local], [required]))).toContain('Bearer YOUR_TIDEGATE_KEY')
  })

  it('never proposes what an earlier route would take', () => {
    const routes = [route('/v1/chat/*', 'companion'), route('/v1/**', 'openai')]
    expect(show(settings([service, openai], routes))).not.toContain('/v1/chat/completions')
  })

  it('quotes what a shell would read otherwise', () => {
    const text = show(settings([service], [route("/it's/$HOME/**", 'companion')]))
    expect(text).toContain("curl 'http://127.0.0.1:8000/it'\\''s/$HOME'")
  })

  it('colours only when it may', () => {
    const what = settings([demo], [route('/v1/**', 'demo')])
    expect(show(what)).not.toContain('\u001b')
    expect(banner({ settings: what, url: 'u', warnings: [], color: true })).toContain('\u001b')
  })

  it('says whether limits are shared, where there are any', () => {
    const free = [route('/v1/**', 'openai')]
    const routes = [route('/v1/**', 'openai', limited)]
    const redis = { options: { url: 'redis://127.0.0.1' }, prefix: 'tidegate' }
    expect(show(settings([openai], free))).not.toContain('imits')
    expect(show(settings([openai], routes))).toContain('Limits are kept in memory, per process')
    expect(show(settings([openai], routes, { redis }))).toContain('Limits are shared over Redis')
  })
})
