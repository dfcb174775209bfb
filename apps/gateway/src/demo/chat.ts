import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { DemoError } from './errors.ts'
import { composeReply, cutToTokens, DEMO_MODEL, estimateTokens } from './model.ts'

const contentPart = z.looseObject({ type: z.string(), text: z.string().optional() })

const message = z.looseObject({
  role: z.enum(['developer', 'system', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(contentPart)], 'expected a string or an array').nullish(),
})

const tokenLimit = z.int().min(1).nullish()

/** What the demo model reads of a chat request; other parameters are accepted and have no effect. */
export const chatRequest = z.looseObject({
  model: z.string().min(1, 'expected the name of a model'),
  messages: z.array(message).min(1, 'expected at least one message'),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: tokenLimit,
  max_completion_tokens: tokenLimit,
  n: z.int().min(1).nullish(),
})

export type ChatRequest = z.infer<typeof chatRequest>

interface Reply {
  readonly id: string
  readonly created: number
  readonly text: string
  readonly finishReason: 'stop' | 'length'
  readonly usage: object
}

/** The whole answer at once: a `chat.completion`. */
export function completeChat(request: ChatRequest, now: number): object {
  const { id, created, text, finishReason, usage } = replyTo(request, now)
  return {
    id,
    object: 'chat.completion',
    created,
    model: DEMO_MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: finishReason,
      },
    ],
    usage,
    system_fingerprint: null,
  }
}

/** The same answer as `chat.completion.chunk`s: the role, then a word each, the end, and usage if asked. */
export function* streamChat(request: ChatRequest, now: number): Generator<object> {
  const { id, created, text, finishReason, usage } = replyTo(request, now)
  const withUsage = request.stream_options?.include_usage === true
  const chunk = (choices: readonly object[], used: object | null = null): object => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model: DEMO_MODEL,
    system_fingerprint: null,
    choices,
    ...(withUsage && { usage: used }),
  })
  const choice = (delta: object, finish: string | null = null): object => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason: finish,
  })
  yield chunk([choice({ role: 'assistant', content: '', refusal: null })])
  for (const content of text.match(/\s*\S+/g) ?? []) yield chunk([choice({ content })])
  yield chunk([choice({}, finishReason)])
  if (withUsage) yield chunk([], usage)
}

function replyTo(request: ChatRequest, now: number): Reply {
  if ((request.n ?? 1) > 1) {
    throw new DemoError(400, "Invalid 'n': the demo model writes one choice.", {
      param: 'n',
      code: 'invalid_value',
    })
  }
  const whole = composeReply(lastUserText(request))
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY
  const text = estimateTokens(whole) > limit ? cutToTokens(whole, limit) : whole
  return {
    id: `chatcmpl-demo-${randomUUID()}`,
    created: Math.floor(now / 1000),
    text,
    finishReason: text === whole ? 'stop' : 'length',
    usage: usageOf(request, text),
  }
}

function usageOf(request: ChatRequest, completion: string): object {
  const prompt = request.messages.reduce((sum, { content }) => sum + estimateOf(content), 0)
  const completed = estimateTokens(completion)
  return {
    prompt_tokens: prompt,
    completion_tokens: completed,
    total_tokens: prompt + completed,
  }
}

type Content = ChatRequest['messages'][number]['content']

function estimateOf(content: Content): number {
  return estimateTokens(textOf(content))
}

function lastUserText(request: ChatRequest): string {
  return textOf(request.messages.findLast(({ role }) => role === 'user')?.content)
}

function textOf(content: Content): string {
  if (typeof content === 'string') return content
  return (content ?? []).map(({ text }) => text ?? '').join(' ')
}
