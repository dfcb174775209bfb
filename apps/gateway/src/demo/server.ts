import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { chatRequest, completeChat, streamChat } from './chat.ts'
import { embed, embeddingsRequest } from './embeddings.ts'
import { DemoError } from './errors.ts'
import { DEMO_MODEL } from './model.ts'
import { readRequest } from './read-request.ts'

export interface DemoModelOptions {
  /** Between two words of a streamed answer, in milliseconds. Default: 20. */
  readonly paceMs?: number
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number
}

export interface DemoModel {
  /** The base a client of OpenAI would use, ending in `/v1`. */
  readonly url: URL
  /** Stops listening and ends what is running. */
  close(): Promise<void>
}

type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  options: Required<DemoModelOptions>,
) => void | Promise<void>

/**
 * Starts a small server that speaks OpenAI's API on 127.0.0.1 and a free port, for a first `curl`
 * without a provider's key. Its answers say that no AI wrote them; each carries `x-tidegate-demo: true`.
 */
export async function startDemoModel(options: DemoModelOptions = {}): Promise<DemoModel> {
  const settings = { paceMs: options.paceMs ?? 20, now: options.now ?? Date.now }
  const server = createServer((request, response) => {
    void answer(request, response, settings)
  })
  // Longer than a client's pool keeps a connection, so that no request meets a closing one.
  server.keepAliveTimeout = 65_000
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`http://127.0.0.1:${port}/v1`),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: Required<DemoModelOptions>,
): Promise<void> {
  response.setHeader('x-tidegate-demo', 'true')
  try {
    await findHandler(request, response)(request, response, options)
  } catch (error) {
    if (response.headersSent || response.destroyed || request.errored) response.destroy()
    else sendError(response, error)
  }
}

const endpoints: readonly (readonly [method: string, path: string, handler: Handler])[] = [
  ['GET', '/v1/models', (_, response) => send(response, 200, { object: 'list', data: [model()] })],
  ['GET', `/v1/models/${DEMO_MODEL}`, (_, response) => send(response, 200, model())],
  ['POST', '/v1/chat/completions', chat],
  ['POST', '/v1/embeddings', embeddings],
]

function findHandler(request: IncomingMessage, response: ServerResponse): Handler {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const found = endpoints.find(([, served]) => served === path)
  if (found === undefined) throw notServed(path)
  const [method, , handler] = found
  if (request.method === method || (method === 'GET' && request.method === 'HEAD')) return handler
  response.setHeader('allow', method)
  throw new DemoError(405, `Use ${method} here.`, { code: 'method_not_allowed' })
}

function notServed(path: string): DemoError {
  if (/^\/v1\/models\/[^/]+$/.test(path)) {
    return new DemoError(404, `This is Tidegate's demo model: it has one model, ${DEMO_MODEL}.`, {
      param: 'model',
      code: 'model_not_found',
    })
  }
  const served = endpoints.map(([method, known]) => `${method} ${known}`).join(', ')
  return new DemoError(
    404,
    `Tidegate's demo model does not serve this. It serves ${served}. Set OPENAI_API_KEY for everything else.`,
    { code: 'not_found' },
  )
}

async function chat(
  request: IncomingMessage,
  response: ServerResponse,
  { paceMs, now }: Required<DemoModelOptions>,
): Promise<void> {
  const asked = await readRequest(request, chatRequest)
  if (asked.stream === true) await sendEvents(response, streamChat(asked, now()), paceMs)
  else send(response, 200, completeChat(asked, now()))
}

async function embeddings(request: IncomingMessage, response: ServerResponse): Promise<void> {
  send(response, 200, embed(await readRequest(request, embeddingsRequest)))
}

async function sendEvents(
  response: ServerResponse,
  events: Iterator<object>,
  paceMs: number,
): Promise<void> {
  if (response.destroyed) return
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  // Asked for before the head is written: what it refuses is still an ordinary error.
  let event = events.next()
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  })
  while (event.done !== true) {
    const flowing = response.write(`data: ${JSON.stringify(event.value)}\n\n`)
    if (!flowing) await once(response, 'drain', { signal: gone.signal })
    await pause(paceMs, undefined, { ref: false, signal: gone.signal })
    event = events.next()
  }
  response.end('data: [DONE]\n\n')
}

function model(): object {
  return { id: DEMO_MODEL, object: 'model', created: 1_767_225_600, owned_by: 'tidegate' }
}

function send(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
  })
  response.end(bytes)
}

function sendError(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof DemoError ? error : new DemoError(500, 'The demo model has failed.')
  send(response, known.status, known.toBody())
}
