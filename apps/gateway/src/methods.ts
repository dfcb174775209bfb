import { ServerError } from '@tidegate/server'
import type { Context } from 'hono'
import type { GatewayEnv } from './env.ts'

/**
 * Refuses all other methods. An endpoint of our own is mounted for every one: what isn't answered here must not
 * reach some upstream of a wide route.
 */
export function allow(c: Context<GatewayEnv>, ...methods: readonly string[]): void {
  if (!methods.includes(c.get('exchange').method)) throw noSuchMethod(methods)
}

export function noSuchMethod(allowed: readonly string[]): ServerError {
  const facts = { allow: allowed.join(', ') }
  return new ServerError('method_not_allowed', 'This endpoint has no such method.', { facts })
}
