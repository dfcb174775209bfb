import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createLogger } from '@tidegate/logger'
import { createGateway } from '../app.ts'
import { createCallers } from '../auth/callers.ts'
import { openAnswers } from '../cache/open.ts'
import { check, type Env, settingsOf } from '../config/check.fixture.ts'
import { openHealth } from '../health/open.ts'
import { openLimits } from '../limits/open.ts'
import { logAuthorities } from '../logging.ts'
import { openRedis } from '../redis.ts'
import { connectRoutes } from '../routes.ts'
import { createGatewayServer } from '../serve.ts'
import { createUpstream, type Upstream } from '../upstreams/upstream.ts'
import { openTelemetry, type Telemetry } from './open.ts'

type Fields = Readonly<Record<string, unknown>>

/** A gateway with all that observes it, in this process. */
export interface ObservedGateway extends AsyncDisposable {
  readonly url: string
  readonly telemetry: Telemetry
  /** What was logged, in order. */
  readonly lines: readonly Fields[]
  /** Asks `/metrics` as an operator. */
  metrics(accept?: string): Promise<string>
}

export const adminKey = 'CANARY-admin'

/** `config`: a configuration file's content; the admin key is put to it. */
export async function observedGateway(config: Fields, env?: Env): Promise<ObservedGateway> {
  const file = { version: 1, admin: { key: adminKey }, ...config }
  const settings = settingsOf(await check(JSON.stringify(file), env))
  const lines: Fields[] = []
  const logger = createLogger({
    destination: { write: (text) => void lines.push(JSON.parse(text)) },
  })
  const redis = settings.redis && (await openRedis(settings.redis, logger))
  const answers = await openAnswers(settings, redis, logger)
  const upstreams = settings.upstreams.map(createUpstream)
  const byName = new Map<string, Upstream>(upstreams.map((each) => [each.name, each]))
  const limits = await openLimits(settings, redis, logger)
  const callers = createCallers(settings, logAuthorities(logger))
  const connections = () => Promise.resolve(0)
  const parts = { settings, logger, upstreams, callers, limits, redis, answers }
  const health = await openHealth({ ...parts, connections })
  const telemetry = await openTelemetry({ ...parts, health, version: 'test' })
  const app = await createGateway({
    ...{ ...parts, health, telemetry },
    routes: connectRoutes(settings.routes, byName),
    version: 'test',
    ready: () => true,
  })
  const server = createGatewayServer(app, settings.server, () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    ...{ url, telemetry, lines },
    metrics: async (accept = 'text/plain') => {
      const headers = { 'x-admin-key': adminKey, accept }
      return await (await fetch(`${url}/metrics`, { headers })).text()
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      const pools = upstreams.flatMap(({ endpoints: all }) => all.map(({ pool }) => pool))
      await Promise.allSettled(pools.map((pool) => pool.destroy()))
      await Promise.allSettled([limits.close(), callers.close(), answers?.close(), health.close()])
      await telemetry.close()
      await redis?.close()
    },
  }
}
