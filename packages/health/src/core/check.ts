import type { HealthStatus } from './status.ts'

/** What a check gets. */
export interface CheckContext {
  /** Aborts when the check takes longer than its timeout, or when nobody wants to know any more. */
  readonly signal: AbortSignal
}

/** Figures and facts of a check, for those who may see details. Never put a secret in it. */
export type CheckDetails = Readonly<Record<string, unknown>>

/** Why a check isn't healthy, as it may be shown to those who may see details: no secret is in it. */
export interface CheckFault {
  readonly code: string
  readonly message: string
}

/** What a check found out. */
export interface CheckOutcome {
  /** Default `healthy`, or `unhealthy` with an `error`. */
  readonly status?: HealthStatus | undefined
  readonly error?: CheckFault | undefined
  readonly details?: CheckDetails | undefined
}

/**
 * Looks at something. Nothing returned is healthy; anything thrown is unhealthy. Only the code of what is
 * thrown is shown, as messages of strangers may hold secrets, except of a {@link CheckError}.
 */
export type Check = (
  context: CheckContext,
) => CheckOutcome | void | Promise<void> | Promise<CheckOutcome | undefined>

/** Thrown by a check whose message may be shown. */
export class CheckError extends Error {
  readonly code: string
  readonly details: CheckDetails | undefined

  constructor(
    code: string,
    message: string,
    options: { readonly cause?: unknown; readonly details?: CheckDetails | undefined } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'CheckError'
    this.code = code
    this.details = options.details
  }
}
