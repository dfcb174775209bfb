import type { Protocol } from '../config/settings.ts'

/** Why an answer that had begun can't be completed. */
export type BreakCode =
  | 'stream_interrupted'
  | 'stream_truncated'
  | 'stream_idle'
  | 'deadline_exceeded'

/** A stream that broke. */
export interface StreamFault {
  readonly code: BreakCode
  /** The upstream's name in the configuration. */
  readonly upstream: string
  readonly requestId: string
}

/**
 * An error event in the protocol's own form, so that its SDK raises instead of taking the part that
 * came for the whole. OpenAI's clients look for `error` in the data of any event, its Responses API
 * for an event of type `error`: one event is both.
 */
export function streamError(protocol: Protocol, path: string, fault: StreamFault): string {
  const { code, requestId } = fault
  const message = messageOf(fault)
  if (protocol === 'anthropic') {
    const data = { type: 'error', error: { type: 'api_error', message }, request_id: requestId }
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`
  }
  const error = { message, type: 'upstream_error', param: null, code }
  if (path.endsWith('/responses')) {
    const data = { type: 'error', code, message, param: null, error, request_id: requestId }
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`
  }
  return `data: ${JSON.stringify({ error, request_id: requestId })}\n\n`
}

function messageOf({ code, upstream }: StreamFault): string {
  const incomplete = 'the answer is incomplete: discard it and retry.'
  switch (code) {
    case 'stream_interrupted':
      return `"${upstream}" broke off in mid-stream: ${incomplete}`
    case 'stream_truncated':
      return `"${upstream}" ended this stream without its closing event: ${incomplete}`
    case 'stream_idle':
      return `"${upstream}" fell silent in mid-stream: ${incomplete}`
    case 'deadline_exceeded':
      return `The time for this request is used up: ${incomplete}`
  }
}
