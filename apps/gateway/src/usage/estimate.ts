import { OPEN_BRACE, textStart } from '../upstreams/json-bytes.ts'
import type { TokenEndpoint } from './endpoints.ts'
import { isIntricate } from './intricate.ts'
import { MEDIUM_BYTES, promptBytes } from './prompt-bytes.ts'
import type { TokenEstimate } from './reservation.ts'

/** English text is about four bytes to a token; of code and other languages there are fewer to one. */
const BYTES_PER_TOKEN = 4

/** What an answer is taken to be where the request doesn't limit it. */
const USUAL_OUTPUT = 1000

/** No model is near it; what asks for more is held to be larger than any limit. */
const MOST_TOKENS = 1_000_000_000

const MEDIA = /^(?:multipart|audio|image|video)\/|^application\/octet-stream/i

/** What a request says of the tokens that it will use. */
export interface TokenRequest {
  readonly endpoint: TokenEndpoint
  readonly estimate: TokenEstimate
  /** A stream of an OpenAI endpoint that tells what it used only if asked, which the client has not done. */
  readonly usageUnasked: boolean
  /** Of the Responses API: goes on after its answer, and whoever fetches the result later isn't counted. */
  readonly background: boolean
}

/** As many tokens as so many bytes of text are taken for. */
export function tokensOf(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}

/**
 * Estimates what a request will use. The input: a token for every four bytes of text, 1,000 for each
 * image, sound or file, whatever its size; the output: `max_completion_tokens`, `max_output_tokens` or
 * `max_tokens`, the largest, for each of the `n` answers, else 1,000. A body that isn't a JSON object, or
 * too intricate a one to be read for this, counts by its bytes, or as one file where its type says so.
 */
export function tokenRequest(
  endpoint: TokenEndpoint,
  body: Buffer,
  contentType = '',
): TokenRequest {
  const isMedium = endpoint === 'input' && MEDIA.test(contentType) && !isJson(body)
  const asked = isMedium ? undefined : jsonObject(body)
  if (asked === undefined) {
    const estimate = estimateOf(endpoint, isMedium ? MEDIUM_BYTES : body.length, undefined)
    return { endpoint, estimate, usageUnasked: false, background: false }
  }
  const estimate = estimateOf(endpoint, promptBytes(asked), outputLimit(asked))
  const usageUnasked = endpoint === 'completions' && asked.stream === true && !asksForUsage(asked)
  const background = endpoint === 'responses' && asked.background === true
  return { endpoint, estimate, usageUnasked, background }
}

/** Whatever its type says: some servers read a body as JSON without a look at that. */
function isJson(body: Buffer): boolean {
  return body[textStart(body)] === OPEN_BRACE
}

type Json = Readonly<Record<string, unknown>>

function jsonObject(body: Buffer): Json | undefined {
  if (isIntricate(body)) return undefined
  const text = body.toString()
  try {
    // As decoders do, a byte order mark is passed over.
    const value: unknown = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function estimateOf(
  endpoint: TokenEndpoint,
  bytes: number,
  limit: number | undefined,
): TokenEstimate {
  // No prompt is free: a provider puts some words of its own around it.
  const input = Math.max(1, tokensOf(bytes))
  if (endpoint === 'input') return { input, output: 0, limited: true }
  return { input, output: limit ?? USUAL_OUTPUT, limited: limit !== undefined }
}

/** The most that all answers together may have, as far as the request limits them. */
function outputLimit(asked: Json): number | undefined {
  const { max_completion_tokens, max_output_tokens, max_tokens, n } = asked
  const named = [max_completion_tokens, max_output_tokens, max_tokens]
  // Which of them a provider goes by, and which it passes over, nobody here can tell.
  const each = Math.max(...named.map((value) => count(value) ?? 0))
  return each === 0 ? undefined : Math.min(each * (count(n) ?? 1), MOST_TOKENS)
}

/** A positive number, made whole; what is no such thing is for the provider to refuse. */
function count(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? Math.ceil(value) : undefined
}

function asksForUsage({ stream_options: options }: Json): boolean {
  return isObject(options) && options.include_usage === true
}
