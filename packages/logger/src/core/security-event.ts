import type { Fields } from './context.ts'
import type { Logger } from './logger.ts'

/** The kinds of security events every part of a system should name alike. */
export type KnownSecurityEventType =
  | 'auth_failure'
  | 'access_denied'
  | 'limit_hit'
  | 'key_use'
  | 'key_change'
  | 'secret_read'
  | 'admin_access'
  | 'config_refused'

/** A known kind, or one of your own. */
export type SecurityEventType = KnownSecurityEventType | (string & {})

/** Something that whoever guards the system wants to see. Name things and people by ids, never by secrets. */
export interface SecurityEvent extends Fields {
  /** What happened; becomes `event_type`. */
  readonly type: SecurityEventType
  /** The line's message; `security: <type>` when absent. */
  readonly message?: string
}

/** Ordinary use, as opposed to refusals and failures. */
const ORDINARY: ReadonlySet<string> = new Set<KnownSecurityEventType>([
  'key_use',
  'secret_read',
  'admin_access',
])

/**
 * Logs a security event as one line with `security: true` and `event_type`, so that a single filter
 * finds them all. Ordinary use (`key_use`, `secret_read`, `admin_access`) is `info`, all else `warn`.
 */
export function logSecurityEvent(
  logger: Pick<Logger, 'info' | 'warn'>,
  event: SecurityEvent,
): void {
  const { type, message = `security: ${type}`, ...fields } = event
  const line = { ...fields, security: true, event_type: type }
  if (ORDINARY.has(type)) logger.info(line, message)
  else logger.warn(line, message)
}
