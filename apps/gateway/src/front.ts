import type { Logger } from '@tidegate/logger'
import { followRequests, type RequestEnd, type RequestLogOptions } from '@tidegate/logger/hono'
import { createExchanges, createTrust, type Problems, securityHeaders } from '@tidegate/server'
import type { Context, Handler, MiddlewareHandler } from 'hono'
import type { Settings } from './config/settings.ts'
import type { GatewayEnv } from './env.ts'
import { requestFields } from './logging.ts'
import { wellFormed } from './stages.ts'

/** What the lines of a request have in common. */
type LineFields = Record<string, unknown>

/** Sees every request come and go. Must not throw. */
export interface RequestObserver {
  /** `fields` are what every line written during the request carries: it may add to them. */
  begin(c: Context<GatewayEnv>, fields: LineFields): void
  /** The response has ended, or the client has left; called once, before the request's line is made. */
  end(c: Context<GatewayEnv>, end: RequestEnd): void
}

/** What the front is built from. */
export interface FrontParts {
  readonly settings: Pick<Settings, 'profile' | 'server'>
  readonly logger: Logger
  readonly problems: Problems
  /** Absent: nobody looks. */
  readonly observer: RequestObserver | undefined
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
export function createFront(parts: FrontParts): Front {
  const { settings, problems } = parts
  const { profile, server } = settings
  const trust = createTrust(server.trustedProxies)
  const exchanges = createExchanges({ profile, trust, service: 'gateway' })
  const follow = followRequests<GatewayEnv>(linesOf(parts))
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

function linesOf({ logger, observer }: FrontParts): RequestLogOptions<GatewayEnv> {
  if (observer === undefined) return { logger, ...requestFields }
  const { context, line } = requestFields
  return {
    logger,
    line,
    context: (c) => {
      const fields: LineFields = context(c)
      observer.begin(c, fields)
      return fields
    },
    onEnd: (c, end) => observer.end(c, end),
  }
}
