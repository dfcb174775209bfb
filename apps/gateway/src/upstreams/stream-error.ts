import type { Protocol } from '../config/settings.ts'

/** Why an answer that had begun can't be completed. */
export type BreakCode =
  | 'stream_interrupted'
  | 'stream_truncated'
  | 'stream_idle'
  | 'deadline_exceeded'

/** What the client had got when its stream broke. */
interface Delivered {
  /** Whole events; absent where nobody has counted them for this client. */
  readonly events: number | undefined
  readonly bytes: number
}

/** A stream that broke. */
export interface StreamFault {
  readonly code: BreakCode
  /** The upstream's name in the configuration. */
  readonly upstream: string
  readonly requestId: string
  readonly delivered: Delivered
}

/**
 * The endpoints that only compute: the provider keeps nothing of a call and does nothing in the world
 * for it, so a second call costs its tokens and no more. `/responses` is not among them: it is stored
 * unless the client says otherwise, may be a turn of a conversation, and may have run tools. Of other
 * endpoints we don't know.
 */
const ONLY_COMPUTE: readonly string[] = [
  '/chat/completions',
  '/completions',
  '/messages',
  '/audio/speech',
  '/audio/transcriptions',
  '/audio/translations',
]

/**
 * An error event in the protocol's own form, so that its SDK raises instead of taking the part that
 * came for the whole. OpenAI's clients look for `error` in the data of any event, its Responses API
 * for an event of type `error`: one event is both.
 *
 * `delivered` and `retry_safe` (whether the same request can be sent again with no effect but its cost)
 * stand beside `request_id`, and in `error` again where that is all that the SDK's exception shows.
 */
export function streamError(protocol: Protocol, path: string, fault: StreamFault): string {
  const { code, requestId, delivered } = fault
  const retrySafe = ONLY_COMPUTE.some((suffix) => path.endsWith(suffix))
  const facts = { request_id: requestId, delivered, retry_safe: retrySafe }
  const message = messageOf(fault, retrySafe)
  if (protocol === 'anthropic') {
    const data = { type: 'error', error: { type: 'api_error', message }, ...facts }
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`
  }
  const error = { message, type: 'upstream_error', param: null, code, ...facts }
  if (path.endsWith('/responses')) {
    const data = { type: 'error', code, message, param: null, error, ...facts }
    return `event: error\ndata: ${JSON.stringify(data)}\n\n`
  }
  return `data: ${JSON.stringify({ error, ...facts })}\n\n`
}

function messageOf({ code, upstream }: StreamFault, retrySafe: boolean): string {
  const remedy = retrySafe
    ? 'discard it and retry'
    : 'discard it, and retry if a repeat does no harm'
  const incomplete = `the answer is incomplete: ${remedy}.`
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
