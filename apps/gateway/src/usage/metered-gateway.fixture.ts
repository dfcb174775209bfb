import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createProblems, createTrust, exchange } from '@tidegate/server'
import { type Context, Hono } from 'hono'
import { check, file, settingsOf } from '../config/check.fixture.ts'
import type { GatewayEnv } from '../env.ts'
import { through } from '../gates.ts'
import { forward } from '../handlers/forward.ts'
import { problems } from '../problems.ts'
import { connectRoutes } from '../routes.ts'
import { createGatewayServer } from '../serve.ts'
import { enter } from '../stages.ts'
import { FailureLog } from '../upstreams/failure-log.ts'
import { createUpstream, type Upstream } from '../upstreams/upstream.ts'
import { meterTokens, readTokenRequest } from './metering.ts'
import type { TokenUsage } from './reservation.ts'

/** How one request's reservation ended, and what was known then. */
interface Settled {
  /** Tokens, or `refund`. */
  readonly as: number | 'refund'
  readonly usage: TokenUsage | undefined
}

/** A gateway with one upstream whose every caller has a token limit. */
export interface MeteredGateway extends AsyncDisposable {
  readonly url: string
  /** In the order in which the exchanges ended; two for one request would be a fault. */
  readonly settled: readonly Settled[]
  readonly reserved: number
  /** The settlement at `index`, as soon as there is one. */
  waitFor(index: number): Promise<Settled>
}

export interface MeteredOptions {
  readonly protocol?: 'openai' | 'anthropic'
  /** Of the upstream, in YAML. */
  readonly upstream?: string
  /** Of the route, in YAML. */
  readonly route?: string
  /** Thrown behind the reservation and before the upstream is asked. */
  readonly failWith?: Error
}

/** Serves all that comes to `urls`, the endpoints of its one upstream. */
export async function meteredGateway(
  urls: readonly string[],
  { protocol = 'openai', upstream = 'retry: off', route = '', failWith }: MeteredOptions = {},
): Promise<MeteredGateway> {
  const yaml = file({ protocol, upstream, route: `auth: none\n${route}` })
  const endpoints = urls.map((url) => `{ url: "${url}/v1" }`).join(', ')
  const settings = settingsOf(
    await check(yaml.replace(/endpoints: .*/, `endpoints: [${endpoints}]`)),
  )
  const upstreams = settings.upstreams.map(createUpstream)
  const byName = new Map<string, Upstream>(upstreams.map((each) => [each.name, each]))
  const [only] = connectRoutes(settings.routes, byName)
  if (only === undefined) throw new Error('no route')
  const body = { limit: settings.server.bodyLimit, idle: settings.server.timeouts.body }
  const settled: Settled[] = []
  let [reserved, wake] = [0, () => {}]
  const settle = (as: Settled['as'], usage: TokenUsage | undefined): void => {
    settled.push({ as, usage })
    wake()
  }

  const app = new Hono<GatewayEnv>()
  app.use(exchange({ profile: 'test', trust: createTrust([]), service: 'gateway' }))
  const reserve = async (c: Context<GatewayEnv>): Promise<void> => {
    const request = await readTokenRequest(c, body)
    if (request !== undefined) {
      reserved += 1
      meterTokens(c, request, {
        amount: request.estimate.input,
        settle: (actual) => settle(actual, c.get('tokens')?.usage),
        refund: () => settle('refund', c.get('tokens')?.usage),
      })
    }
    if (failWith !== undefined) throw failWith
  }
  const limits = { body, write: settings.server.timeouts.write }
  app.all(
    '*',
    through(
      [enter(only), reserve],
      forward({ route: only, transfer: limits, failureLog: new FailureLog() }),
    ),
  )
  app.onError(createProblems({ table: problems, production: false }).onError)

  const server = createGatewayServer(app, settings.server, () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    settled,
    get reserved() {
      return reserved
    },
    waitFor: async (index) => {
      for (;;) {
        const found = settled[index]
        if (found !== undefined) return found
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      const pools = upstreams.flatMap(({ endpoints: all }) => all.map(({ pool }) => pool))
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}
