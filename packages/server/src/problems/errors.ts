/** Every code the kit itself raises. Stable: clients and tables may switch on it. */
export type ServerErrorCode =
  | 'bad_request'
  | 'client_gone'
  | 'deadline_exceeded'
  | 'expectation_failed'
  | 'forbidden'
  | 'header_overflow'
  | 'internal_error'
  | 'invalid_json'
  | 'invalid_setup'
  | 'invalid_target'
  | 'malformed_request'
  | 'method_not_allowed'
  | 'missing_field'
  | 'not_found'
  | 'payload_too_large'
  | 'request_timeout'
  | 'too_many_requests'
  | 'unauthorized'
  | 'unavailable'
  | 'unsupported_media_type'
  | 'validation_failed'

/** What may be said about an error beside its message. */
export interface ServerErrorOptions {
  /** The field or parameter at fault, such as `messages[0].role`. */
  readonly param?: string
  /** What the error knows, for code. No secrets: it may be logged. */
  readonly facts?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/**
 * The base of all errors of this package. It knows a literal `code` and facts, but no HTTP status:
 * a table of problems maps codes to responses.
 */
export class ServerError<Code extends string = ServerErrorCode> extends Error {
  readonly code: Code
  readonly param: string | undefined
  readonly facts: Readonly<Record<string, unknown>>

  /** @param message One sentence a client may read: the fact, without secrets and received values. */
  constructor(code: Code, message: string, options: ServerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.param = options.param
    this.facts = Object.freeze({ ...options.facts })
  }
}

/**
 * True for an error made by this package or by a class built on its base, with that code if one is
 * given. It looks at the shape and not at the class, so that two copies of the package understand
 * each other.
 */
export function isServerError<Code extends string = string>(
  error: unknown,
  code?: Code,
): error is ServerError<Code> {
  if (!(error instanceof Error) || !('code' in error) || !('facts' in error)) return false
  return code === undefined ? typeof error.code === 'string' : error.code === code
}

/** Something given to the kit at start-up makes no sense: a network, an origin, a schema, a table. */
export class SetupError extends ServerError<'invalid_setup'> {
  constructor(message: string, facts: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super('invalid_setup', message, { facts, cause })
  }
}

/** The client closed the connection before it had its response. */
export class ClientGone extends ServerError<'client_gone'> {
  constructor() {
    super('client_gone', 'The client closed the connection before the response was complete.')
  }
}

/** Which hop the time went to. */
export interface DeadlineFacts {
  /** Who was waited for when the time was up, such as `upstream openai`. */
  readonly hop: string
  /** The time the request was given, in milliseconds. */
  readonly limitMs: number
}

/** The request's time is up. The message names the hop that was being waited for. */
export class DeadlineExceeded extends ServerError<'deadline_exceeded'> {
  constructor({ hop, limitMs }: DeadlineFacts) {
    const limit = Math.round(limitMs)
    const message = `The request's deadline of ${limit} ms passed while waiting for ${hop}.`
    super('deadline_exceeded', message, { facts: { hop, limitMs: limit } })
  }
}
