import type { Behaviour } from './behaviour.ts'
import type { RequestFields } from './openai-chat.ts'
import { jsonReply, type Reply, type StreamEvent } from './reply.ts'
import { countTokens, spokenPieces, stableId } from './words.ts'

interface TypedData {
  readonly type: string
  readonly [field: string]: unknown
}

function eventOf(part: StreamEvent['part'], data: TypedData): StreamEvent {
  return { part, event: data.type, data: JSON.stringify(data) }
}

/** `/v1/messages`, plain or streamed. */
export function createMessage(fields: RequestFields, seed: Buffer, behaviour: Behaviour): Reply {
  const pieces = spokenPieces(behaviour)
  const stopReason = behaviour.finishReason ?? 'end_turn'
  const output = behaviour.usage?.output ?? pieces.length
  const usage = (outputTokens: number) => ({
    input_tokens: behaviour.usage?.input ?? countTokens(fields.messages),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
    service_tier: 'standard',
  })
  const message = (changes: Record<string, unknown>) => ({
    id: stableId('msg_01', seed, 22),
    type: 'message',
    role: 'assistant',
    model: fields.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...changes,
  })
  if (fields.stream !== true) {
    const content = [{ type: 'text', text: pieces.join('') }]
    const whole = { content, stop_reason: stopReason, usage: usage(output) }
    return jsonReply(message(whole))
  }
  const delta = { stop_reason: stopReason, stop_sequence: null }
  const begin = { type: 'message_start', message: message({ usage: usage(1) }) }
  const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }
  const events = [
    eventOf('open', begin),
    eventOf('open', block),
    eventOf('open', { type: 'ping' }),
    ...pieces.map((text) => eventOf('content', textDelta(text))),
    eventOf('finish', { type: 'content_block_stop', index: 0 }),
    eventOf('finish', messageDelta(delta, output)),
    eventOf('done', { type: 'message_stop' }),
  ]
  return { status: 200, headers: [], body: { kind: 'events', events, error: streamError } }
}

function textDelta(text: string) {
  return { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }
}

function messageDelta(delta: Record<string, unknown>, outputTokens: number) {
  return { type: 'message_delta', delta, usage: { output_tokens: outputTokens } }
}

const streamError = eventOf('done', {
  type: 'error',
  error: { type: 'overloaded_error', message: 'Overloaded' },
})

/** `/v1/messages/count_tokens`. */
export function countMessageTokens(fields: RequestFields): Reply {
  return jsonReply({ input_tokens: countTokens(fields.messages) })
}

const models = [
  { type: 'model', id: 'claude-sonnet-4-5', display_name: 'Claude Sonnet 4.5' },
  { type: 'model', id: 'claude-haiku-4-5', display_name: 'Claude Haiku 4.5' },
].map((model) => ({ ...model, created_at: '2025-09-29T00:00:00Z' }))

/** `/v1/models` as Anthropic lists them. */
export function listAnthropicModels(): Reply {
  return jsonReply({
    data: models,
    has_more: false,
    first_id: models[0]?.id,
    last_id: models.at(-1)?.id,
  })
}
