import type { Logger } from '@tidegate/logger'
import { followRequests } from '@tidegate/logger/hono'
import { createExchanges, createTrust, type Problems, securityHeaders } from '@tidegate/server'
import type { Context, Handler, MiddlewareHandler } from 'hono'
import type { Settings } from './config/settings.ts'
import type { GatewayEnv } from './env.ts'
import { requestFields } from './logging.ts'
import { wellFormed } from './stages.ts'

/** What the front is built from. */
export interface FrontParts {
  readonly settings: Pick<Settings, 'profile' | 'server'>
  readonly logger: Logger
  readonly problems: Problems
}

/** What every request comes through, whatever answers it. */
export interface Front {
  /**
   * Around one handler. That is the whole chain then: Hono calls a lone handler as it is, and puts
   * promises around each of several.
   */
  around(handler: Handler<GatewayEnv>): Handler<GatewayEnv>
  /** The same in front of several. */
  readonly middleware: MiddlewareHandler<GatewayEnv>
}

type Answer = Response | Promise<Response>

/**
 * Opens the request's record, has its line written at the end, refuses what isn't well-formed, and makes
 * an answer of whatever is thrown; an answer that a handler returned gets the headers of the record.
 */
export function createFront({ settings, logger, problems }: FrontParts): Front {
  const { profile, server } = settings
  const trust = createTrust(server.trustedProxies)
  const exchanges = createExchanges({ profile, trust, service: 'gateway' })
  const follow = followRequests<GatewayEnv>({ logger, ...requestFields })
  const security = securityHeaders(profile)
  const judge = wellFormed(server.bodyLimit)

  const finish = (c: Context<GatewayEnv>, answer: Response): Response =>
    c.get('exchange').sent ? answer : exchanges.finish(c, answer)

  const failed = async (c: Context<GatewayEnv>, thrown: unknown): Promise<Response> => {
    const error =
      thrown instanceof Error ? thrown : new Error('Not an Error was thrown.', { cause: thrown })
    c.error = error
    return finish(c, await problems.onError(error, c))
  }

  const pass = (c: Context<GatewayEnv>, answer: () => Answer): Answer => {
    const { headers } = exchanges.open(c)
    if (security.length > 0) headers.push(...security)
    return follow(c, () => {
      try {
        judge(c)
        const answered = answer()
        if (!(answered instanceof Promise)) return finish(c, answered)
        return answered.then(
          (response) => finish(c, response),
          (error: unknown) => failed(c, error),
        )
      } catch (error) {
        return failed(c, error)
      }
    })
  }

  return {
    around: (handler) => (c, next) => pass(c, () => handler(c, next) as Answer),
    middleware: async (c, next) => {
      const answer = await pass(c, async () => {
        await next()
        return c.res
      })
      if (answer !== c.res) c.res = answer
    },
  }
}
