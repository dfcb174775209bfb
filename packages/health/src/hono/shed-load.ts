import type { Context, Env, MiddlewareHandler } from 'hono'
import type { LoadShedder, Shed } from '../core/load/load-shedder.ts'

/** Options of {@link shedLoad}. */
export interface ShedLoadOptions<E extends Env = Env> {
  readonly shedder: LoadShedder
  /** Requests that are never shed, such as probes. Default: none. */
  readonly skip?: ((c: Context<E>) => boolean) | undefined
  /** The answer to a request that is shed. Default: status 503 with a JSON body, a problem (RFC 9457). */
  readonly onShed?: ((c: Context<E>, shed: Shed) => Response | Promise<Response>) | undefined
}

/** Sends some requests away while there is more load than the process can take. */
export function shedLoad<E extends Env = Env>(options: ShedLoadOptions<E>): MiddlewareHandler<E> {
  const { shedder, skip, onShed = overloaded } = options
  return async function shedLoadMiddleware(c, next) {
    const shed = skip?.(c) === true ? undefined : shedder.decide()
    if (shed === undefined) return await next()
    return await onShed(c, shed)
  }
}

/** One JSON object that is a problem (RFC 9457) and an error as OpenAI's SDKs read it. */
function overloaded<E extends Env>(c: Context<E>, { reason, retryAfterMs }: Shed): Response {
  const detail = 'There is more load than can be taken now. Try again later.'
  c.header('cache-control', 'no-store')
  c.header('retry-after', String(Math.ceil(retryAfterMs / 1_000)))
  c.header('retry-after-ms', String(retryAfterMs))
  const body = {
    type: 'about:blank',
    title: 'Overloaded',
    status: 503,
    detail,
    code: 'overloaded',
    reason,
    error: { message: detail, type: 'server_error', param: null, code: 'overloaded' },
  }
  return c.json(body, 503)
}
