/** Where in a reply a fault strikes. */
export type FaultPoint =
  | 'before-headers'
  | 'after-headers'
  | { readonly events: number }
  | { readonly bytes: number }

/**
 * How a reply goes wrong.
 *
 * - `reset`: the connection is reset (RST).
 * - `close`: the connection is closed (FIN) in the middle of its framing: a chunked body without its
 *   last chunk, or fewer bytes than `content-length` said. With `framing: 'close'` this is all a
 *   client sees of any end, good or bad.
 * - `stall`: nothing more comes and the connection stays open. `before-headers`: never an answer.
 * - `stop`: the HTTP message ends in good order, but what belongs in it is missing.
 * - `error-event`: the provider's own error event, then a good end.
 */
export type FaultKind = 'reset' | 'close' | 'stall' | 'stop' | 'error-event'

export interface Fault {
  readonly kind: FaultKind
  /**
   * Default: after the last content event of a stream, before anything that says it is finished;
   * after half of the bytes of any other body. `bytes` counts body bytes as they go on the wire.
   */
  readonly at?: FaultPoint
}

/** What a provider does with one request. Everything has a default: the good answer, at once. */
export interface Behaviour {
  /** With 400 and above, and no body given, the body is the provider's real error of that status. */
  readonly status?: number
  /** A named error of the provider in place of the usual one of its status. */
  readonly error?: 'context_length_exceeded' | 'content_filter' | 'insufficient_quota'
  /** Replaces or, with `null`, removes headers of the usual reply; several values repeat the header. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>
  /** The body to send in place of the usual one. */
  readonly body?: string | Uint8Array
  /** Like `body`, as JSON. */
  readonly json?: unknown
  /** Answers with what was received, as JSON, whatever the path. */
  readonly echo?: boolean

  /** What the model says, in place of its usual words. */
  readonly text?: string
  /** In how many content events it says so. Default 8. */
  readonly events?: number
  /** In place of `stop` or `end_turn`. */
  readonly finishReason?: string
  /** The model that the answer names, in place of the one that was asked for. */
  readonly model?: string
  /** The tokens that the answer reports, in place of counted ones. */
  readonly usage?: { readonly input: number; readonly output: number }
  /** Makes the first content event about this many bytes larger. */
  readonly padFirstEvent?: number
  /** Leaves out the protocol's last marker (`[DONE]`) though everything before it comes. */
  readonly omitDone?: boolean
  /** The line end of a stream's events. Default LF. */
  readonly lineEnd?: '\n' | '\r\n' | '\r'
  /** A comment line before each event. */
  readonly comments?: boolean
  /** Bytes to put in before the events with these indexes. */
  readonly insert?: ReadonlyArray<{ readonly before: number; readonly bytes: string }>

  /** Compresses the body and says so. */
  readonly encoding?: 'gzip' | 'br' | 'deflate'
  /** Default: `chunked` for streams, `length` for other bodies. `close`: until the connection ends. */
  readonly framing?: 'chunked' | 'length' | 'close'
  /**
   * Into which writes the body is cut: one per event (default), one for everything, one per so many
   * bytes, or `awkward`: inside each character of several bytes and inside each line end.
   */
  readonly cut?: 'event' | 'whole' | 'awkward' | number
  /** Trailer fields after a chunked body. */
  readonly trailers?: Readonly<Record<string, string>>
  /** `Link` values to send in a 103 (Early Hints) first. */
  readonly earlyHints?: string | readonly string[]

  /** Milliseconds before the headers. */
  readonly delayMs?: number
  /** Milliseconds between the headers and the first byte of the body. */
  readonly bodyDelayMs?: number
  /** Milliseconds between events. */
  readonly eventDelayMs?: number
  /** Milliseconds between writes: a slow drip, together with `cut`. */
  readonly writeDelayMs?: number
  /** Waited for before the headers: lets a test decide the moment. */
  readonly beforeHeaders?: () => Promise<unknown>
  /** Waited for before the event at `index`. */
  readonly beforeEvent?: (index: number) => Promise<unknown> | undefined
  /** Answers without waiting for the request's body. Only for a behaviour given to `next`. */
  readonly answerBeforeBody?: boolean

  readonly fault?: Fault
  /** Exact bytes to send in place of any reply. */
  readonly raw?: string | Uint8Array
  /** What follows `raw`. Default `close`. */
  readonly rawThen?: 'close' | 'reset' | 'keep-open'
}

/** The request header that chooses a behaviour, as JSON. */
export const behaviourHeader = 'x-testkit-behaviour'
