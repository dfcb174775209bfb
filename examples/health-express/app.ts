import {
  createHealth,
  createLoadShedder,
  createShutdown,
  createSystemMetrics,
  summaryOf,
} from '@tidegate/health'
import { diskCheck, memoryCheck, redisCheck } from '@tidegate/health/checks'
import type { RedisConnections } from '@tidegate/redis'
import express, { type Request } from 'express'

export interface AppParts {
  readonly adminKey: string
  readonly redis: RedisConnections | undefined
}

/** Orders, and what an operator and a load balancer want to know of the server that takes them. */
export function createApp({ adminKey, redis }: AppParts) {
  const shutdown = createShutdown({ delay: '500ms', timeout: '10s' })
  const health = createHealth({
    version: '1.0.0',
    isDraining: () => !shutdown.ready,
    onChange: ({ name, to }) => console.warn(`${name} is ${to}`),
  })
  const shedder = createLoadShedder()
  const system = createSystemMetrics()
  health.register('memory', memoryCheck())
  health.register('disk', diskCheck(), { critical: false, interval: '1m' })
  // Orders are taken without Redis as well: it is no reason to send customers away.
  if (redis !== undefined) {
    const options = { critical: false, timeout: '500ms', ttl: '200ms' }
    health.register('redis', redisCheck({ client: redis.commands }), options)
  }

  const app = express()
  app.disable('x-powered-by')
  app.use((_request, response, next) => {
    // Or else clients would keep connections that are about to be closed.
    if (!shutdown.ready) response.set('connection', 'close')
    next()
  })
  const mayKnow = (request: Request) => request.get('x-admin-key') === adminKey

  app.get('/livez', (_request, response) => {
    response.json(health.liveness())
  })
  app.get('/readyz', async (_request, response) => {
    const { ready, status } = await health.readiness()
    response.status(ready ? 200 : 503).json({ status })
  })
  app.get('/health', async (request, response) => {
    const report = await health.report()
    response.status(report.status === 'unhealthy' ? 503 : 200)
    if (mayKnow(request)) response.json({ ...report, system: await system.read() })
    else response.json(summaryOf(report))
  })

  // From here on: what may be too much.
  app.use((_request, response, next) => {
    const shed = shedder.decide()
    if (shed === undefined) return next()
    const seconds = Math.ceil(shed.retryAfterMs / 1_000)
    response.status(503).set('retry-after', String(seconds)).json({ error: shed.reason })
  })
  app.post('/orders', async (_request, response) => {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    response.status(201).json({ order: crypto.randomUUID() })
  })

  shutdown.onClose('redis', () => redis?.close(), { after: ['server'] })
  shutdown.onClose('health', () => {
    for (const part of [health, shedder, system]) part.close()
  })
  return { app, shutdown }
}
