/**
 * What every error of this package is: a literal `code`. Messages name hosts and ports, never a
 * credential, and a `cause` holds no command and no argument.
 */
export abstract class RedisError<Code extends string = string> extends Error {
  abstract readonly code: Code
  /**
   * Whether the server may have carried the command out all the same. Only a command that is harmless
   * when it runs twice may be sent again then.
   */
  readonly mayHaveRun: boolean = false

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Why no connection came about. */
export type RedisConnectCode = 'connection_failed' | 'tls_failed' | 'auth_failed'

/** No connection could be made: it was refused, took too long, wasn't trusted or wasn't let in. */
export class RedisConnectError extends RedisError<RedisConnectCode> {
  readonly code: RedisConnectCode

  constructor(code: RedisConnectCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}

/** There is no connection at the moment (or none may be made): the command was not sent. */
export class RedisUnavailableError extends RedisError<'unavailable'> {
  readonly code = 'unavailable'
}

/** The connection broke before the reply came. The command may have run. */
export class RedisInterruptedError extends RedisError<'interrupted'> {
  readonly code = 'interrupted'
  override readonly mayHaveRun = true
}

/** No reply came within the command's time limit. The command may have run, or run yet. */
export class RedisTimeoutError extends RedisError<'timeout'> {
  readonly code = 'timeout'
  override readonly mayHaveRun = true
  /** The limit, in milliseconds. */
  readonly limitMs: number

  constructor(message: string, limitMs: number, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.limitMs = limitMs
  }
}

/** Redis answered with an error. */
export class RedisReplyError extends RedisError<'reply_error'> {
  readonly code = 'reply_error'
  /** The first word of Redis's error: `ERR`, `WRONGTYPE`, `OOM`, `READONLY`, … */
  readonly reply: string

  constructor(message: string, reply: string) {
    super(message)
    this.reply = reply
  }
}

/** One thing that is wrong with the settings: where, and what to do. Never a secret's value. */
export interface RedisSettingIssue {
  /** The option or the environment variable. */
  readonly setting: string
  readonly message: string
}

/** The settings can't be used. Every issue is told at once. */
export class RedisSettingsError extends RedisError<'invalid_settings'> {
  readonly code = 'invalid_settings'
  readonly issues: readonly RedisSettingIssue[]

  constructor(issues: readonly RedisSettingIssue[]) {
    const lines = issues.map(({ setting, message }) => `\n- ${setting}: ${message}`)
    super(`The settings of Redis can't be used:${lines.join('')}`)
    this.issues = issues
  }
}

/** Recognises a `RedisError`, also one of another copy of this package. */
export function isRedisError(error: unknown): error is RedisError {
  if (error instanceof RedisError) return true
  return error instanceof Error && 'code' in error && 'mayHaveRun' in error
}
