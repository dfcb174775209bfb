import type { Context, Handler, MiddlewareHandler } from 'hono'
import type { GatewayEnv } from './env.ts'

/** What a request has to pass: it throws, or lets it pass. It is waited for only if it says so. */
export type Gate = (c: Context<GatewayEnv>) => void | Promise<void>

/**
 * Gates in their order, and behind them the end of a route, as one handler: a middleware of Hono's can also
 * do something after the end, which no gate does, and costs each request a promise for it.
 */
export function through(gates: readonly Gate[], end: Handler<GatewayEnv>): Handler<GatewayEnv> {
  const pass = (
    c: Context<GatewayEnv>,
    next: Parameters<Handler<GatewayEnv>>[1],
    from: number,
  ): ReturnType<Handler<GatewayEnv>> => {
    for (let at = from; at < gates.length; at += 1) {
      const waiting = gates[at]?.(c)
      if (waiting instanceof Promise) return waiting.then(() => pass(c, next, at + 1))
    }
    return end(c, next)
  }
  return (c, next) => pass(c, next, 0)
}

/** The same gate in front of what Hono itself puts together. */
export function middlewareOf(gate: Gate): MiddlewareHandler<GatewayEnv> {
  return (c, next) => {
    const waiting = gate(c)
    return waiting instanceof Promise ? waiting.then(next) : next()
  }
}

/** A middleware that does nothing behind what it lets pass, in front of one handler. */
export function behind(
  middleware: MiddlewareHandler,
  handler: Handler<GatewayEnv>,
): Handler<GatewayEnv> {
  // What `next` returns is returned as it is: only Hono's own chain of middleware needs a promise of it.
  return (c, next) =>
    middleware(c, () => handler(c, next) as Promise<void>) as ReturnType<Handler<GatewayEnv>>
}
