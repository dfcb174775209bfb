import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createLogger } from '@tidegate/logger'
import { type Provider, pollUntil } from '@tidegate/testkit'
import { createGateway } from '../app.ts'
import { createCallers } from '../auth/callers.ts'
import { check, type Env, settingsOf } from '../config/check.fixture.ts'
import { openLimits } from '../limits/open.ts'
import { logAuthorities } from '../logging.ts'
import { openRedis } from '../redis.ts'
import { connectRoutes } from '../routes.ts'
import { createGatewayServer } from '../serve.ts'
import { createUpstream, type Upstream } from '../upstreams/upstream.ts'
import { openAnswers } from './open.ts'

type Fields = Readonly<Record<string, unknown>>

/** A gateway that keeps answers, in this process, with a clock of its own for them. */
export interface CachingGateway extends AsyncDisposable {
  readonly url: string
  /** What was logged, in order. */
  readonly lines: readonly Fields[]
  /** Lets kept answers grow older. */
  wait(ms: number): void
  /** Asks as a client, and reads the whole answer. */
  ask(path: string, ask?: Asking): Promise<Answer>
  /** Asks until it says so: what goes on behind an answer takes its time. */
  askUntil(path: string, ask: Asking, isRight: (answer: Answer) => boolean): Promise<Answer>
}

export interface Asking {
  readonly method?: string
  readonly body?: unknown
  /** As it is, in place of `body`. */
  readonly text?: string
  /** The id of the key that is sent; the empty text for none. Default `ada`. */
  readonly as?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  /** `x-tidegate-cache`. */
  readonly cache: string | null
  readonly headers: Headers
  readonly text: string
  readonly json: Record<string, unknown>
}

export interface CachingOptions {
  /** Of the only route. */
  readonly route?: Fields
  readonly protocol?: 'openai' | 'anthropic' | 'http'
  readonly upstream?: Fields
  readonly match?: string
  /** Beside it. */
  readonly more?: Fields
  readonly redis?: string
  readonly env?: Env
  /** Where several gateways are to have one. */
  readonly clock?: { now: number }
}

export const adminKey = 'CANARY-admin'

/** A gateway of one route with a cache of a minute, in front of a provider, for the keys of ada and bob. */
export async function cachingGateway(
  provider: Provider,
  options: CachingOptions = {},
): Promise<CachingGateway> {
  const { redis: url } = options
  const settings = settingsOf(await check(JSON.stringify(configOf(provider, options)), options.env))
  const lines: Fields[] = []
  const logger = createLogger({
    destination: { write: (text) => void lines.push(JSON.parse(text)) },
  })
  const clock = options.clock ?? { now: Date.now() }
  const redis =
    settings.redis && url !== undefined ? await openRedis(settings.redis, logger) : undefined
  await redis?.connections.ready()
  const answers = await openAnswers(settings, redis, logger, () => clock.now)
  const upstreams = settings.upstreams.map(createUpstream)
  const byName = new Map<string, Upstream>(upstreams.map((each) => [each.name, each]))
  const limits = await openLimits(settings, redis, logger)
  const callers = createCallers(settings, logAuthorities(logger))
  const app = await createGateway({
    ...{ settings, logger, upstreams, callers, limits, redis, answers },
    routes: connectRoutes(settings.routes, byName),
    version: 'test',
    ready: () => true,
  })
  const server = createGatewayServer(app, settings.server, () => {})
  answers?.warmer?.begin(Promise.resolve())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask: CachingGateway['ask'] = (path, asking = {}) => answerTo(own + path, asking)
  return {
    ...{ url: own, lines, ask },
    wait: (ms) => {
      clock.now += ms
    },
    askUntil: async (path, asking, isRight) => {
      let last: Answer | undefined
      await pollUntil(
        async () => {
          last = await ask(path, asking)
          return isRight(last)
        },
        { describe: () => `last ${last?.status} ${last?.cache}: ${last?.text}` },
      )
      if (last === undefined) throw new Error('nothing was asked')
      return last
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      const pools = upstreams.flatMap(({ endpoints: all }) => all.map(({ pool }) => pool))
      await Promise.allSettled(pools.map((pool) => pool.destroy()))
      await Promise.allSettled([limits.close(), callers.close(), answers?.close()])
      await redis?.close()
    },
  }
}

function configOf(provider: Provider, options: CachingOptions): Fields {
  const { protocol = 'openai', upstream = {}, route = { cache: '1m' }, more = {} } = options
  const { match = protocol === 'http' ? '/**' : '/v1/**', redis } = options
  const path = protocol === 'http' ? '' : '/v1'
  return {
    version: 1,
    admin: { key: adminKey },
    ...(redis !== undefined && { redis: { url: redis } }),
    upstreams: {
      up: {
        protocol,
        ...{ retry: 'off', breaker: 'off' },
        endpoints: [{ url: provider.url + path, apiKey: 'of the provider' }],
        ...upstream,
      },
    },
    routes: [{ match, upstreams: ['up'], auth: 'required', ...route }],
    auth: { keys: ['ada', 'bob'].map((id) => ({ id, key: keyOf(id) })) },
    ...more,
  }
}

export function keyOf(id: string): string {
  return `CANARY-key-of-${id}`
}

async function answerTo(url: string, asking: Asking): Promise<Answer> {
  const { body, text, as = 'ada', headers = {} } = asking
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(url, {
    method: asking.method ?? (sent === undefined ? 'GET' : 'POST'),
    headers: {
      ...(as !== '' && { authorization: `Bearer ${keyOf(as)}` }),
      ...(sent !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(sent !== undefined && { body: sent }),
  })
  const whole = await response.text()
  return {
    status: response.status,
    cache: response.headers.get('x-tidegate-cache'),
    headers: response.headers,
    text: whole,
    json: whole.startsWith('{') ? asJson(whole) : {},
  }
}

function asJson(text: string): Answer['json'] {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

export const CHAT = '/v1/chat/completions'

/** A request to a model. */
export function chat(more: Fields = {}): Fields {
  return { model: 'tide-1', messages: [{ role: 'user', content: 'Hello?' }], ...more }
}
