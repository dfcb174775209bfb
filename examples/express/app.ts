import { randomUUID } from 'node:crypto'
import type { Secret } from '@tidegate/config'
import { type Logger, logSecurityEvent, withContext } from '@tidegate/logger'
import express, { type Express, type RequestHandler } from 'express'
import type { Config } from './config.ts'

/** A service that takes orders from whoever has the key. */
export function createApp({ apiKey }: Config, logger: Logger): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(requestLog(logger))
  app.use(bearer(apiKey, logger))
  app.post('/orders', express.json({ limit: '10kb' }), (request, response) => {
    // Card numbers and tokens come in bodies; the logger knows their names at any depth.
    logger.info({ order: request.body }, 'order taken')
    response.status(201).json({ accepted: true })
  })
  return app
}

/** Opens a context for the request, so that whatever logs in it says whose line it is. */
function requestLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const request_id = randomUUID()
    const { method, path } = request
    const startedAt = performance.now()
    response.setHeader('x-request-id', request_id)
    withContext({ request_id, method, path }, () => {
      response.once('close', () => {
        const duration_ms = Math.round(performance.now() - startedAt)
        logger.info({ status_code: response.statusCode, duration_ms }, 'request')
      })
      next()
    })
  }
}

/** Refuses who doesn't send the key, in a time that says nothing about it, and tells the operators. */
function bearer(key: Secret, logger: Logger): RequestHandler {
  return (request, response, next) => {
    const sent = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (sent !== undefined && key.equals(sent)) {
      next()
      return
    }
    logSecurityEvent(logger, {
      type: 'auth_failure',
      reason: sent === undefined ? 'missing' : 'wrong',
    })
    response.status(401).json({ error: 'Send the key as "authorization: Bearer …".' })
  }
}
