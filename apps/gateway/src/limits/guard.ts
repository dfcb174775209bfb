import { createRateLimiter, tokenBucket } from '@tidegate/rate-limit'
import { type Exchange, ipGroup, isLoopback } from '@tidegate/server'
import type { BucketSettings } from '../config/settings.ts'
import type { Gate } from '../gates.ts'
import { GatewayError } from '../problems.ts'
import { HitLog } from './hit-log.ts'
import type { LimitHit } from './limits.ts'

/**
 * Stands in front of everything that costs something: what a single address may ask of this process. It
 * is decided in memory and waits for nobody. This machine itself may ask at will, as a proxy on it that
 * isn't trusted would be one address for all.
 */
export function guard(
  settings: BucketSettings,
  onHit: (exchange: Exchange, hit: LimitHit) => void,
): Gate {
  const limiter = createRateLimiter({ policies: { guard: tokenBucket(settings) } })
  const log = new HitLog()
  return (c) => {
    const exchange = c.get('exchange')
    if (isLoopback(exchange.clientIp)) return
    const subject = `ip:${ipGroup(exchange.clientIp)}`
    const decision = limiter.checkSync('guard', subject)
    if (decision === undefined || decision.allowed) return
    const hits = log.hit('guard', subject)
    if (hits !== undefined) onHit(exchange, { policy: 'guard', subject, hits, shadow: false })
    const { retryAfterMs } = decision
    const message = 'This address asks more than the gateway takes from one.'
    throw new GatewayError('rate_limit_exceeded', message, { facts: { retryAfterMs } })
  }
}
