import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { keepPort } from '../net/kept-port.ts'

/**
 * How it answers: `up`; `slow`: after `delayMs`; `deaf`: it takes requests and never answers; `wrong`: a
 * page that is no JSON, with 200; `unready`: well, of an index that isn't ready; `error`: 500; `refuse`:
 * nobody listens.
 */
export type PineconeMode = 'up' | 'slow' | 'deaf' | 'wrong' | 'unready' | 'error' | 'refuse'

export interface PineconeOptions {
  /** Any other `Api-Key` is a 401. */
  readonly apiKey: string
  /** `up` by default. */
  readonly mode?: PineconeMode
  /** How slow `slow` is; 1,000 by default. */
  readonly delayMs?: number
}

/** What answers a health check as Pinecone does: `GET /indexes`, `GET /indexes/tide`, `/describe_index_stats`. */
export interface PineconeLookalike extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** `METHOD path` of each request, in order. */
  readonly requests: readonly string[]
  readonly behave: (mode: PineconeMode) => Promise<void>
}

function indexOf(mode: PineconeMode) {
  const ready = mode !== 'unready'
  return {
    name: 'tide',
    dimension: 3,
    metric: 'cosine',
    host: 'tide-0000000.svc.aped-0000-0000.pinecone.io',
    spec: { serverless: { cloud: 'aws', region: 'us-east-1' } },
    status: { ready, state: ready ? 'Ready' : 'Initializing' },
  }
}

function failure(code: string, message: string, status: number) {
  return { error: { code, message }, status }
}

function resource(path: string, mode: PineconeMode): object | undefined {
  if (path === '/indexes') return { indexes: [indexOf(mode)] }
  if (path === '/indexes/tide') return indexOf(mode)
  if (path === '/describe_index_stats') {
    return { namespaces: {}, dimension: 3, indexFullness: 0, totalVectorCount: 0 }
  }
  return undefined
}

/** Starts it on 127.0.0.1. */
export async function startPineconeLookalike(options: PineconeOptions): Promise<PineconeLookalike> {
  const { apiKey, delayMs = 1_000 } = options
  const requests: string[] = []
  let mode: PineconeMode = 'up'

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const path = new URL(request.url ?? '/', 'http://pinecone').pathname
    if (request.headers['api-key'] !== apiKey) {
      response.writeHead(401, { 'content-type': 'text/plain' }).end('Invalid API Key')
    } else if (mode === 'wrong') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>')
    } else if (mode === 'error') send(500, failure('UNKNOWN', 'internal error', 500))
    else {
      const found = resource(path, mode)
      if (found === undefined) send(404, failure('NOT_FOUND', `${path} not found`, 404))
      else send(200, found)
    }
  }
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    request.resume()
    if (mode === 'deaf') return
    if (mode !== 'slow') return answer(request, response)
    const timer = setTimeout(() => answer(request, response), delayMs)
    response.once('close', () => clearTimeout(timer))
  })
  const listener = await keepPort(server)
  const behave = async (next: PineconeMode) => {
    mode = next
    await (next === 'refuse' ? listener.stop() : listener.start())
  }
  await behave(options.mode ?? 'up')
  return {
    ...{ url: `http://127.0.0.1:${listener.port}`, port: listener.port, requests, behave },
    [Symbol.asyncDispose]: async () => await listener[Symbol.asyncDispose](),
  }
}
