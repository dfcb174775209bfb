/** One server-sent event, with the part it plays in its stream. */
export interface StreamEvent {
  readonly event?: string
  readonly data: string
  /**
   * `open` before any content, `content`, `finish` says why the model stopped and what it used,
   * `done` is the protocol's last marker.
   */
  readonly part: 'open' | 'content' | 'finish' | 'done'
}

export type HeaderFields = ReadonlyArray<readonly [name: string, value: string]>

export type ReplyBody =
  | { readonly kind: 'empty' }
  | { readonly kind: 'bytes'; readonly contentType: string; readonly bytes: Buffer }
  | {
      readonly kind: 'events'
      readonly events: readonly StreamEvent[]
      /** What this protocol sends when a stream breaks. */
      readonly error: Omit<StreamEvent, 'part'>
    }

/** What a provider would answer if nothing went wrong. */
export interface Reply {
  readonly status: number
  readonly headers: HeaderFields
  readonly body: ReplyBody
}

export function jsonReply(value: unknown, status = 200, headers: HeaderFields = []): Reply {
  const bytes = Buffer.from(JSON.stringify(value))
  return { status, headers, body: { kind: 'bytes', contentType: 'application/json', bytes } }
}

export function bytesReply(bytes: Buffer, contentType: string, status = 200): Reply {
  return { status, headers: [], body: { kind: 'bytes', contentType, bytes } }
}
