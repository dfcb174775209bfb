import type { Logger } from '@tidegate/logger'
import type { Store } from '@tidegate/rate-limit'
import type { MiddlewareHandler } from 'hono'
import { adminOnly } from '../admin.ts'
import type { AuthMode, Settings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { Gate } from '../gates.ts'
import { logAdminRefusal, logAuthBlock, logAuthFailure, logKeyUse } from '../logging.ts'
import { type AuthParts, authenticate } from './authenticate.ts'
import type { Callers } from './callers.ts'
import { FailureGuard, type Surface } from './failure-guard.ts'

/** What gatekeepers are made from. */
export interface GatekeeperParts {
  readonly settings: Pick<Settings, 'admin' | 'auth' | 'profile'>
  readonly logger: Logger
  readonly callers: Callers
  /** Where wrong credentials are counted, if not in this process. */
  readonly store: Store | undefined
}

/** Who lets clients onto routes, and operators to our own endpoints. */
export interface Gatekeepers {
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
  authenticate(mode: Exclude<AuthMode, 'none'>): Gate
}

export function createGatekeepers(parts: GatekeeperParts): Gatekeepers {
  const { settings, logger, callers, store } = parts
  const guardOf = (surface: Surface): FailureGuard | undefined =>
    settings.auth.guard &&
    new FailureGuard({
      ...{ surface, settings: settings.auth.guard, store, now: Date.now },
      onBlock: (block) => logAuthBlock(logger, block),
    })
  const auth: AuthParts = {
    callers,
    guard: guardOf('routes'),
    onFailure: (...failure) => logAuthFailure(logger, ...failure),
    onUse: (...use) => logKeyUse(logger, ...use),
  }
  return {
    adminOnly: adminOnly({
      key: settings.admin.key,
      profile: settings.profile,
      guard: guardOf('admin'),
      onRefused: (...refusal) => logAdminRefusal(logger, ...refusal),
    }),
    authenticate: (mode) => authenticate(mode, auth),
  }
}
