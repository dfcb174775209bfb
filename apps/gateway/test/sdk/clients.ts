import { type AnthropicProvider, createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAICompatible, type OpenAICompatibleProvider } from '@ai-sdk/openai-compatible'
import Anthropic, { type ClientOptions as AnthropicOptions } from '@anthropic-ai/sdk'
import OpenAI, { type ClientOptions as OpenAIOptions } from 'openai'
import type { Side } from './sides.ts'

type Origin = Pick<Side, 'url' | 'apiKey'>

/** OpenAI's client on one side; without retries unless told otherwise. */
export function openai({ url, apiKey }: Origin, options: OpenAIOptions = {}): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, ...options })
}

/** Anthropic's client on one side; without retries unless told otherwise. */
export function anthropic({ url, apiKey }: Origin, options: AnthropicOptions = {}): Anthropic {
  return new Anthropic({ baseURL: url, apiKey, authToken: null, maxRetries: 0, ...options })
}

/** The AI SDK's provider for services that speak OpenAI's protocol. */
export function aiOpenai({ url, apiKey }: Origin): OpenAICompatibleProvider {
  return createOpenAICompatible({ name: 'tide', baseURL: `${url}/v1`, apiKey, includeUsage: true })
}

/** The AI SDK's provider for Anthropic. */
export function aiAnthropic({ url, apiKey }: Origin): AnthropicProvider {
  return createAnthropic({ baseURL: `${url}/v1`, apiKey })
}

/** All that a stream gives, once it has ended well. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** What a stream gave before it ended, and the error that it ended with, if it did. */
export async function drain<T>(stream: AsyncIterable<T>): Promise<{ items: T[]; error?: unknown }> {
  const items: T[] = []
  try {
    for await (const item of stream) items.push(item)
    return { items }
  } catch (error) {
    return { items, error }
  }
}

export const chat = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user' as const, content: 'Tell me of the tide — 潮 🌊.' }],
}

export const streamedChat = { ...chat, stream: true as const }

export const message = {
  model: 'claude-tide',
  max_tokens: 64,
  messages: [{ role: 'user' as const, content: 'Tell me of the tide — 潮 🌊.' }],
}
