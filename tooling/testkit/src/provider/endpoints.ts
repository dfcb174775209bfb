import { countMessageTokens, createMessage, listAnthropicModels } from './anthropic.ts'
import type { Behaviour } from './behaviour.ts'
import { chatCompletion, type RequestFields, textCompletion } from './openai-chat.ts'
import {
  createEmbeddings,
  createSpeech,
  createTranscription,
  type FileShelf,
  listOpenaiModels,
  openaiModel,
  patternBytes,
} from './openai-media.ts'
import { createResponse } from './openai-responses.ts'
import { errorReply, type Family, rejection } from './provider-errors.ts'
import type { RecordedRequest } from './recorded-request.ts'
import { bytesReply, jsonReply, type Reply } from './reply.ts'

/** What an endpoint may look at. */
interface Call {
  readonly request: RecordedRequest
  readonly family: Family
  readonly requestId: string
  readonly behaviour: Behaviour
  readonly files: FileShelf
}

type JsonEndpoint = (fields: RequestFields, seed: Buffer, behaviour: Behaviour) => Reply

const jsonEndpoints: Readonly<Record<string, JsonEndpoint>> = {
  '/v1/chat/completions': chatCompletion,
  '/v1/completions': textCompletion,
  '/v1/embeddings': createEmbeddings,
  '/v1/responses': createResponse,
  '/v1/audio/speech': createSpeech,
  '/v1/messages': createMessage,
  '/v1/messages/count_tokens': countMessageTokens,
}

/** The path from its last `/v1` on: a provider behind a path prefix answers as well. */
function endpointPath(path: string): string {
  const start = path.lastIndexOf('/v1/')
  return start < 0 ? path : path.slice(start)
}

/** Whose protocol a request speaks. */
export function familyOf(request: RecordedRequest): Family {
  const isMessages = endpointPath(request.path).startsWith('/v1/messages')
  return isMessages || request.header('anthropic-version') !== undefined ? 'anthropic' : 'openai'
}

/** The JSON object of a body; `null` when it is none. */
function fieldsOf(request: RecordedRequest): RequestFields | null {
  try {
    const value = request.json
    return typeof value === 'object' && value !== null ? (value as RequestFields) : null
  } catch {
    return null
  }
}

/** What was received, as JSON. Bodies over 64 KiB are given by size and digest alone. */
function echo(request: RecordedRequest): Reply {
  const { method, target, httpVersion, rawHeaders, headers, trailers, sha256, body } = request
  return jsonReply({
    method,
    target,
    httpVersion,
    rawHeaders,
    headers,
    trailers,
    body: {
      bytes: body.length,
      sha256,
      complete: request.bodyComplete,
      base64: body.length <= 65_536 ? body.toString('base64') : null,
    },
  })
}

const unreadableJson =
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"

function answerJson(call: Call, endpoint: JsonEndpoint): Reply {
  const { request, family, requestId, behaviour } = call
  const reject = (message: string, code: string | null = null) =>
    rejection(family, 400, requestId, message, code)
  const fields = fieldsOf(request)
  if (fields === null) {
    return reject(unreadableJson)
  }
  if (typeof fields.model !== 'string') return reject('you must provide a model parameter')
  const { model = fields.model } = behaviour
  return endpoint({ ...fields, model }, request.body, behaviour)
}

function answerFiles({ request, files }: Call, rest: string): Reply | null {
  const type = request.header('content-type')
  const [id = '', view] = rest.split('/').filter(Boolean)
  if (id === '') return request.method === 'POST' ? files.upload(request.body, type) : files.list()
  if (request.method === 'DELETE') return files.remove(id)
  return view === 'content' ? files.content(id) : files.describe(id)
}

function answerProvider(call: Call, path: string): Reply | null {
  const { request, behaviour, family } = call
  const endpoint = Object.hasOwn(jsonEndpoints, path) ? jsonEndpoints[path] : undefined
  if (endpoint !== undefined && request.method === 'POST') return answerJson(call, endpoint)
  if (path === '/v1/models') {
    return family === 'anthropic' ? listAnthropicModels() : listOpenaiModels()
  }
  if (path.startsWith('/v1/models/')) return openaiModel(path.slice('/v1/models/'.length))
  if (path === '/v1/files' || path.startsWith('/v1/files/')) {
    return answerFiles(call, path.slice('/v1/files'.length))
  }
  if (path === '/v1/audio/transcriptions') {
    return createTranscription(request.body, request.header('content-type'), behaviour)
  }
  return null
}

/** Paths for plain HTTP services: `/echo/…`, `/bytes/N`, `/status/N`. */
function answerPlain({ request }: Call, path: string): Reply | null {
  const [, kind, value = ''] = path.replace(/^\/v1\//, '/').split('/')
  if (kind === 'echo') return echo(request)
  if (kind === 'bytes') return bytesReply(patternBytes(Number(value)), 'application/octet-stream')
  if (kind !== 'status') return null
  return { status: Number(value), headers: [], body: { kind: 'empty' } }
}

/** The good answer to a request, or the provider's refusal of it. */
function answer(call: Call): Reply {
  const path = endpointPath(call.request.path)
  const reply = answerProvider(call, path) ?? answerPlain(call, path)
  if (reply !== null) return reply
  const message = `Invalid URL (${call.request.method} ${call.request.path})`
  return rejection(call.family, 404, call.requestId, message)
}

/** The reply that a behaviour gives in place of the good answer, or that answer. */
export function replyTo(call: Call): Reply {
  const { request, behaviour, family, requestId } = call
  const { status = 200, error } = behaviour
  if (behaviour.json !== undefined) return jsonReply(behaviour.json, status)
  if (behaviour.body !== undefined) {
    return bytesReply(Buffer.from(behaviour.body), 'text/plain; charset=utf-8', status)
  }
  if (behaviour.echo === true) return echo(request)
  if (error !== undefined || status >= 400) return errorReply(family, status, requestId, error)
  if (status === 204 || status === 304) return { status, headers: [], body: { kind: 'empty' } }
  return answer(call)
}
