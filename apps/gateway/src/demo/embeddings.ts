import { z } from 'zod'
import { DEMO_MODEL, estimateTokens } from './model.ts'

const DEFAULT_DIMENSIONS = 256

const text = z.string().min(1, 'expected a text that is not empty')
const tokens = z.array(z.int().min(0)).min(1, 'expected at least one token')
const expected = 'expected a text, an array of texts, an array of tokens, or an array of those'

/** What the demo model reads of an embeddings request. */
export const embeddingsRequest = z.looseObject({
  model: z.string().min(1, 'expected the name of a model'),
  input: z.preprocess(
    (input, context) => {
      // Said here, as a union's own words for a missing field are about its members.
      if (input === undefined) {
        context.issues.push({ code: 'invalid_type', expected: 'string', input, path: [] })
      }
      return input
    },
    z.union(
      [text, tokens, z.array(text).min(1).max(2048), z.array(tokens).min(1).max(2048)],
      expected,
    ),
  ),
  dimensions: z.int().min(1).max(4096).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
})

export type EmbeddingsRequest = z.infer<typeof embeddingsRequest>

type Input = string | readonly number[]

/** One vector for each input, in order. */
export function embed(request: EmbeddingsRequest): object {
  const inputs = listInputs(request.input)
  const dimensions = request.dimensions ?? DEFAULT_DIMENSIONS
  const used = inputs.reduce<number>((sum, input) => sum + countTokens(input), 0)
  return {
    object: 'list',
    data: inputs.map((input, index) => ({
      object: 'embedding',
      index,
      embedding: encode(vectorOf(input, dimensions), request.encoding_format ?? 'float'),
    })),
    model: DEMO_MODEL,
    usage: { prompt_tokens: used, total_tokens: used },
  }
}

function listInputs(input: EmbeddingsRequest['input']): readonly Input[] {
  if (typeof input === 'string') return [input]
  return input.every((entry) => typeof entry === 'number') ? [input] : input
}

function countTokens(input: Input): number {
  return typeof input === 'string' ? estimateTokens(input) : input.length
}

/**
 * A bag of words by the hashing trick, of length 1: the same text always gives the same vector, and
 * texts that share words are near each other.
 */
export function vectorOf(input: Input, dimensions: number): Float32Array {
  const counts = new Float32Array(dimensions)
  for (const word of wordsOf(input)) {
    const slot = fnv1a(word) % dimensions
    counts[slot] = (counts[slot] ?? 0) + 1
  }
  const length = Math.hypot(...counts)
  return counts.map((count) => count / length)
}

function wordsOf(input: Input): readonly string[] {
  if (typeof input !== 'string') return input.map(String)
  return input.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [input]
}

/** FNV-1a, 32 bits, over UTF-16 code units. */
function fnv1a(word: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < word.length; i += 1) {
    hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}

function encode(vector: Float32Array, format: 'float' | 'base64'): readonly number[] | string {
  if (format === 'float') return Array.from(vector)
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}
