import type { MiddlewareHandler } from 'hono'
import type { ExchangeEnv } from '../exchange/exchange.ts'
import { exchangeOf } from '../exchange/middleware.ts'
import { isStrict, type Profile } from '../exchange/profile.ts'

const HEADERS: readonly string[] = Object.freeze([
  'x-content-type-options',
  'nosniff',
  'x-frame-options',
  'DENY',
  'x-xss-protection',
  '1; mode=block',
  'strict-transport-security',
  'max-age=31536000; includeSubDomains',
  'referrer-policy',
  'strict-origin-when-cross-origin',
])

const NONE: readonly string[] = Object.freeze([])

/**
 * The security headers of a profile as a flat list (name, value, …): those in staging and production,
 * nothing in development and test, where HSTS would lock `http://localhost` out of the browser.
 * Whoever forwards a response keeps the upstream's own values.
 */
export function securityHeaders(profile: Profile): readonly string[] {
  return isStrict(profile) ? HEADERS : NONE
}

/** Adds {@link securityHeaders} to each response; a handler's own values win. */
export function security(profile: Profile): MiddlewareHandler<ExchangeEnv> {
  const headers = securityHeaders(profile)
  return (c, next) => {
    exchangeOf(c).headers.push(...headers)
    return next()
  }
}
