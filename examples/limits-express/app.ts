import { clientKey, denialOf, rateLimitHeaders } from '@tidegate/rate-limit/http'
import express, { type Express, type RequestHandler } from 'express'
import type { Limits } from './limits.ts'

export interface User {
  readonly id: string
  readonly tier: 'free' | 'pro'
}

export interface AppParts {
  readonly limiter: Limits['limiter']
  /** Who has which key. */
  readonly users: ReadonlyMap<string, User>
  readonly trustedProxies: readonly string[]
}

/** A service that knows the weather. */
export function createApp({ limiter, users, trustedProxies }: AppParts): Express {
  const app = express()
  app.disable('x-powered-by')
  // Named, never `true`: then whoever calls could write an address of its choice in X-Forwarded-For.
  app.set('trust proxy', trustedProxies)
  app.use(limited(limiter, users))
  app.get('/weather/:place', (request, response) => {
    response.json({ place: request.params.place, degrees: 21 })
  })
  return app
}

/** Limits users by their tier, and everybody else by address. The headers are on every answer. */
function limited(limiter: Limits['limiter'], users: AppParts['users']): RequestHandler {
  return async (request, response, next) => {
    const user = users.get(request.get('x-api-key') ?? '')
    const outcome =
      user === undefined
        ? await limiter.checkAll(`address:${clientKey(request.ip)}`, ['anonymous'])
        : await limiter.checkAll(`user:${user.id}`, [user.tier, 'daily'])
    if (outcome.allowed) {
      response.set(rateLimitHeaders(outcome))
      next()
      return
    }
    const { status, headers, body } = denialOf(outcome, { instance: request.originalUrl })
    response.status(status).set(headers).json(body)
  }
}
