import type { Behaviour } from './behaviour.ts'
import type { RequestFields } from './openai-chat.ts'
import { jsonReply, type Reply, type StreamEvent } from './reply.ts'
import { countTokens, createdAt, spokenPieces, stableId } from './words.ts'

function usageOf(fields: RequestFields, { usage }: Behaviour, pieces: readonly string[]) {
  const input = usage?.input ?? countTokens(fields.input)
  const output = usage?.output ?? pieces.length
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  }
}

function responseObject(id: string, fields: RequestFields, changes: Record<string, unknown>) {
  return {
    id,
    object: 'response',
    created_at: createdAt,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: fields.instructions ?? null,
    max_output_tokens: null,
    model: fields.model,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    user: null,
    metadata: {},
    ...changes,
  }
}

/** `/v1/responses`, plain or streamed. */
export function createResponse(fields: RequestFields, seed: Buffer, behaviour: Behaviour): Reply {
  const pieces = spokenPieces(behaviour)
  const id = stableId('resp_', seed, 48)
  const itemId = stableId('msg_', seed, 48)
  const part = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] })
  const item = (status: string, content: readonly unknown[]) => {
    return { id: itemId, type: 'message', status, role: 'assistant', content }
  }
  const fullPart = part(pieces.join(''))
  const fullItem = item('completed', [fullPart])
  const incomplete = behaviour.finishReason !== undefined
  const finished = responseObject(id, fields, {
    status: incomplete ? 'incomplete' : 'completed',
    incomplete_details: incomplete ? { reason: behaviour.finishReason } : null,
    output: [fullItem],
    usage: usageOf(fields, behaviour, pieces),
  })
  if (fields.stream !== true) return jsonReply(finished)
  const started = { response: responseObject(id, fields, {}) }
  const place = { item_id: itemId, output_index: 0, content_index: 0 }
  const steps: Array<[StreamEvent['part'], string, Record<string, unknown>]> = [
    ['open', 'response.created', started],
    ['open', 'response.in_progress', started],
    ['open', 'response.output_item.added', { output_index: 0, item: item('in_progress', []) }],
    ['open', 'response.content_part.added', { ...place, part: part('') }],
    ...pieces.map((delta): [StreamEvent['part'], string, Record<string, unknown>] => [
      'content',
      'response.output_text.delta',
      { ...place, delta, logprobs: [] },
    ]),
    ['finish', 'response.output_text.done', { ...place, text: fullPart.text, logprobs: [] }],
    ['finish', 'response.content_part.done', { ...place, part: fullPart }],
    ['finish', 'response.output_item.done', { output_index: 0, item: fullItem }],
    ['done', `response.${finished.status}`, { response: finished }],
  ]
  const events = steps.map(([role, type, content], index): StreamEvent => {
    return { part: role, event: type, data: numbered(type, index, content) }
  })
  const error = { code: 'server_error', message: 'An error occurred.', param: null }
  return {
    status: 200,
    headers: [],
    body: {
      kind: 'events',
      events,
      error: { event: 'error', data: numbered('error', events.length, error) },
    },
  }
}

function numbered(type: string, sequence: number, content: Record<string, unknown>): string {
  return JSON.stringify({ type, sequence_number: sequence, ...content })
}
