import type { Behaviour } from './behaviour.ts'
import { jsonReply, type Reply, type StreamEvent } from './reply.ts'
import { countTokens, createdAt, spokenPieces, stableId } from './words.ts'

/** The fields of a JSON request that a provider looks at. */
export type RequestFields = Readonly<Record<string, unknown>>

const systemFingerprint = 'fp_44709d6fcb'

function usageOf(fields: RequestFields, { usage }: Behaviour, pieces: readonly string[]) {
  const prompt = usage?.input ?? countTokens(fields.messages ?? fields.prompt)
  const completion = usage?.output ?? pieces.length
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

function wantsUsage(fields: RequestFields): boolean {
  const options = fields.stream_options
  return (
    typeof options === 'object' &&
    options !== null &&
    'include_usage' in options &&
    options.include_usage === true
  )
}

/** What OpenAI sends inside a stream that fails. */
const openaiStreamError = {
  data: JSON.stringify({
    error: {
      message: 'The server had an error while processing your request. Sorry about that!',
      type: 'server_error',
      param: null,
      code: null,
    },
  }),
}

interface Chunks {
  readonly usage: unknown
  readonly common: Readonly<Record<string, unknown>>
  readonly open: readonly unknown[]
  readonly content: readonly unknown[]
  readonly finish: unknown
}

/** Chunks with their choice; usage, as the last one, when it was asked for; and `[DONE]`. */
function streamOf(fields: RequestFields, chunks: Chunks): Reply {
  const withUsage = wantsUsage(fields)
  const event = (part: StreamEvent['part'], choices: readonly unknown[], usage: unknown = null) => {
    const chunk = { ...chunks.common, choices, ...(withUsage ? { usage } : {}) }
    return { part, data: JSON.stringify(chunk) }
  }
  const events: StreamEvent[] = [
    ...chunks.open.map((choice) => event('open', [choice])),
    ...chunks.content.map((choice) => event('content', [choice])),
    event('finish', [chunks.finish]),
  ]
  if (withUsage) events.push(event('finish', [], chunks.usage))
  events.push({ part: 'done', data: '[DONE]' })
  return { status: 200, headers: [], body: { kind: 'events', events, error: openaiStreamError } }
}

/** `/v1/chat/completions`, plain or streamed. */
export function chatCompletion(fields: RequestFields, seed: Buffer, behaviour: Behaviour): Reply {
  const pieces = spokenPieces(behaviour)
  const finishReason = behaviour.finishReason ?? 'stop'
  const usage = usageOf(fields, behaviour, pieces)
  const common = {
    id: stableId('chatcmpl-', seed),
    created: createdAt,
    model: fields.model,
    service_tier: 'default',
    system_fingerprint: systemFingerprint,
  }
  if (fields.stream === true) {
    const choice = (delta: unknown, reason: string | null = null) => {
      return { index: 0, delta, logprobs: null, finish_reason: reason }
    }
    return streamOf(fields, {
      usage,
      common: { ...common, object: 'chat.completion.chunk' },
      open: [choice({ role: 'assistant', content: '', refusal: null })],
      content: pieces.map((content) => choice({ content })),
      finish: choice({}, finishReason),
    })
  }
  const message = { role: 'assistant', content: pieces.join(''), refusal: null, annotations: [] }
  return jsonReply({
    ...common,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    usage,
  })
}

/** `/v1/completions`, plain or streamed. */
export function textCompletion(fields: RequestFields, seed: Buffer, behaviour: Behaviour): Reply {
  const pieces = spokenPieces(behaviour)
  const finishReason = behaviour.finishReason ?? 'stop'
  const usage = usageOf(fields, behaviour, pieces)
  const common = {
    id: stableId('cmpl-', seed),
    object: 'text_completion',
    created: createdAt,
    model: fields.model,
  }
  const choice = (text: string, reason: string | null) => {
    return { text, index: 0, logprobs: null, finish_reason: reason }
  }
  if (fields.stream === true) {
    return streamOf(fields, {
      usage,
      common,
      open: [],
      content: pieces.map((text) => choice(text, null)),
      finish: choice('', finishReason),
    })
  }
  return jsonReply({
    ...common,
    choices: [choice(pieces.join(''), finishReason)],
    usage,
  })
}
