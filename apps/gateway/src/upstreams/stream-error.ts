import type { Protocol } from '../config/settings.ts'

/** What is said inside a stream that broke, in words for whoever reads it. */
export interface StreamFault {
  readonly code: string
  readonly message: string
  readonly requestId: string
}

/**
 * An error event in the protocol's own form, so that its SDK raises instead of taking the part that
 * came for the whole. OpenAI's clients look for `error` in the data of any event, its Responses API
 * for an event of type `error`: one event is both.
 */
export function streamError(protocol: Protocol, path: string, fault: StreamFault): string {
  const { code, message, requestId } = fault
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
