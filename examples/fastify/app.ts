import { createHmac } from 'node:crypto'
import { addContext, type Logger, withContext } from '@tidegate/logger'
import { type FastifyInstance, fastify } from 'fastify'
import type { Config } from './config.ts'

/** A service that signs tickets. Hooks do what middleware does elsewhere. */
export function createApp({ timeout, signingKey }: Config, logger: Logger): FastifyInstance {
  const app = fastify({ logger: false, requestTimeout: timeout })

  // `done` runs the rest of the request, so all of it is inside the context.
  app.addHook('onRequest', (request, _reply, done) => {
    const { id: request_id, method, url: path } = request
    withContext({ request_id, method, path }, done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url
    const duration_ms = Math.round(reply.elapsedTime)
    logger.info({ route, status_code: reply.statusCode, duration_ms }, 'request')
    done()
  })

  app.get<{ Params: { seat: string } }>('/tickets/:seat', async (request) => {
    const { seat } = request.params
    addContext({ seat })
    const signature = createHmac('sha256', signingKey.reveal()).update(seat).digest('base64url')
    logger.info({ signature, signingKey }, 'ticket signed')
    return { seat, signature }
  })
  return app
}
