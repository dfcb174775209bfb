import type { Logger } from '@tidegate/logger'
import type { Store } from '@tidegate/rate-limit'
import { type Admin, createAdmin } from '../admin.ts'
import type { AuthMode, Settings } from '../config/settings.ts'
import { OperatorSessions } from '../dashboard/operator-sessions.ts'
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
  /** Told why a credential was refused; those of operators begin with `admin_`. */
  readonly onFailure?: ((reason: string) => void) | undefined
}

/** Who lets clients onto routes, and operators to our own endpoints. */
export interface Gatekeepers {
  readonly admin: Admin
  /** Of operators at the dashboard. Absent: there is no admin key. */
  readonly operators: OperatorSessions | undefined
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
    onFailure: (exchange, failure) => {
      logAuthFailure(logger, exchange, failure)
      parts.onFailure?.(failure.reason)
    },
    onUse: (...use) => logKeyUse(logger, ...use),
  }
  const { key } = settings.admin
  const operators = key && new OperatorSessions(key)
  return {
    operators,
    admin: createAdmin({
      key,
      sessions: operators,
      profile: settings.profile,
      guard: guardOf('admin'),
      onRefused: (exchange, reason) => {
        logAdminRefusal(logger, exchange, reason)
        parts.onFailure?.(`admin_${reason}`)
      },
    }),
    authenticate: (mode) => authenticate(mode, auth),
  }
}
