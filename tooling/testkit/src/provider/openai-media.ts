import type { Behaviour } from './behaviour.ts'
import { parseMultipart } from './multipart.ts'
import type { RequestFields } from './openai-chat.ts'
import { bytesReply, jsonReply, type Reply } from './reply.ts'
import { countTokens, createdAt, spokenPieces, stableId } from './words.ts'

const models = ['gpt-4o', 'gpt-4o-mini', 'text-embedding-3-small', 'tts-1', 'whisper-1'].map(
  (id) => {
    return { id, object: 'model', created: createdAt, owned_by: 'system' }
  },
)

/** `/v1/models`, or one of them. */
export function listOpenaiModels(): Reply {
  return jsonReply({ object: 'list', data: models })
}

export function openaiModel(id: string): Reply | null {
  const model = models.find((one) => one.id === id)
  return model === undefined ? null : jsonReply(model)
}

const dimensions = 16

function embed(text: string): Float32Array {
  const digest = stableId('', text, dimensions * 2)
  return Float32Array.from({ length: dimensions }, (_, index) => {
    return Number.parseInt(digest.slice(index * 2, index * 2 + 2), 16) / 256 - 0.5
  })
}

/** `/v1/embeddings`, as numbers or, with `encoding_format: base64`, as little-endian floats. */
export function createEmbeddings(fields: RequestFields): Reply {
  const { input, model } = fields
  const base64 = fields.encoding_format === 'base64'
  const data = [input].flat().map((text, index) => {
    const vector = embed(String(text))
    const embedding = base64 ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const tokens = countTokens(input)
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  return jsonReply({ object: 'list', data, model, usage })
}

/** Bytes that depend on their count alone and hold every byte value. */
export function patternBytes(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(count)
  for (let index = 0; index < count; index += 1) bytes[index] = (index * 31 + (index >> 8)) & 0xff
  return bytes
}

/** `/v1/audio/speech`: a binary body. */
export function createSpeech(): Reply {
  return bytesReply(patternBytes(64 * 1024), 'audio/mpeg')
}

/** `/v1/audio/transcriptions`: a multipart upload answered with text. */
export function createTranscription(
  body: Buffer,
  contentType: string | undefined,
  behaviour: Behaviour,
): Reply | null {
  const parts = parseMultipart(body, contentType)
  if (!parts.some((part) => part.name === 'file')) return null
  const text = spokenPieces(behaviour).join('')
  const format = parts.find((part) => part.name === 'response_format')?.body.toString()
  if (format === 'text') return bytesReply(Buffer.from(text), 'text/plain; charset=utf-8')
  return jsonReply({ text, usage: { type: 'duration', seconds: 3 } })
}

interface StoredFile {
  readonly description: Readonly<Record<string, unknown>>
  readonly bytes: Buffer
}

/** `/v1/files`: what was uploaded can be described, downloaded and deleted. */
export class FileShelf {
  readonly #files = new Map<string, StoredFile>()

  upload(body: Buffer, contentType: string | undefined): Reply | null {
    const parts = parseMultipart(body, contentType)
    const file = parts.find((part) => part.name === 'file')
    if (file === undefined) return null
    const id = stableId('file-', file.body)
    const description = {
      id,
      object: 'file',
      bytes: file.body.length,
      created_at: createdAt,
      expires_at: null,
      filename: file.filename ?? 'upload',
      purpose: parts.find((part) => part.name === 'purpose')?.body.toString() ?? 'assistants',
      status: 'processed',
      status_details: null,
    }
    this.#files.set(id, { description, bytes: file.body })
    return jsonReply(description)
  }

  list(): Reply {
    const data = [...this.#files.values()].map((file) => file.description)
    return jsonReply({ object: 'list', data, has_more: false })
  }

  describe(id: string): Reply | null {
    const file = this.#files.get(id)
    return file === undefined ? null : jsonReply(file.description)
  }

  content(id: string): Reply | null {
    const file = this.#files.get(id)
    return file === undefined ? null : bytesReply(file.bytes, 'application/octet-stream')
  }

  remove(id: string): Reply | null {
    return this.#files.delete(id) ? jsonReply({ id, object: 'file', deleted: true }) : null
  }
}
