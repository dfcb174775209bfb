import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { Journal } from '../process/waiting.ts'
import { type Behaviour, behaviourHeader, requestedBehaviour } from './behaviour.ts'
import { deliver, deliverRaw, type Exchange } from './delivery.ts'
import { answer, type Call, echo, familyOf, fieldsOf } from './endpoints.ts'
import { FileShelf } from './openai-media.ts'
import { errorReply } from './provider-errors.ts'
import { providerHeaders } from './provider-headers.ts'
import { RecordedRequest } from './recorded-request.ts'
import { bytesReply, jsonReply, type Reply } from './reply.ts'

export interface ProviderOptions {
  /** What to do with every request that nothing else decides. */
  readonly always?: Behaviour | ((request: RecordedRequest) => Behaviour)
  /** Behaviours that a request chooses by its `model`. `error-400` … `error-599` are there already. */
  readonly models?: Readonly<Record<string, Behaviour>>
  /** The keys accepted as Bearer or `x-api-key`; any other is a 401. Default: nobody is asked. */
  readonly apiKeys?: readonly string[]
  /** Serves HTTPS with this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** How long an idle connection is kept, in ms. Default 60000. */
  readonly keepAliveMs?: number
  /** The port to listen on. Default: a free one. */
  readonly port?: number
}

/** A request that Node's parser refused: nothing a sound gateway ever sends. */
export interface ProtocolError {
  readonly code: string
  readonly bytes: Buffer
}

const maxHeaderBytes = 1024 * 1024

/** A fault-injecting provider that speaks OpenAI's and Anthropic's protocols over a real socket. */
export class Provider implements AsyncDisposable {
  readonly #requests = new Journal<RecordedRequest>('request')
  readonly #protocolErrors: ProtocolError[] = []
  readonly #queue: Behaviour[] = []
  #files = new FileShelf()
  readonly #sockets = new Map<Socket, number>()
  readonly #options: ProviderOptions
  readonly #server: Server
  #always: NonNullable<ProviderOptions['always']>
  #connections = 0

  constructor(options: ProviderOptions) {
    this.#options = options
    this.#always = options.always ?? {}
    this.#server = this.#createServer((request, response) => {
      const number = this.#sockets.get(request.socket) ?? -1
      const recorded = new RecordedRequest(request, response, number)
      void this.#handle({ request: recorded, response, socket: request.socket }).catch(
        (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
      )
    })
  }

  /** Every request whose headers arrived, in order. */
  get requests(): readonly RecordedRequest[] {
    return this.#requests.items
  }

  /** How many requests arrived. */
  get hits(): number {
    return this.#requests.items.length
  }

  /** How many TCP connections were accepted since the start. */
  get connections(): number {
    return this.#connections
  }

  /** How many of them are open. */
  get openConnections(): number {
    return this.#sockets.size
  }

  get protocolErrors(): readonly ProtocolError[] {
    return this.#protocolErrors
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The origin, without a path. */
  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`
  }

  /** The last request; throws when there was none. */
  get lastRequest(): RecordedRequest {
    const last = this.requests.at(-1)
    if (last === undefined) throw new Error('the provider has received no request')
    return last
  }

  /** Decides what happens to the next requests, one each, in order of arrival. */
  next(...behaviours: readonly Behaviour[]): this {
    this.#queue.push(...behaviours)
    return this
  }

  /** Decides what happens to every request that nothing else decides. */
  always(behaviour: NonNullable<ProviderOptions['always']>): this {
    this.#always = behaviour
    return this
  }

  /** Forgets requests, behaviours and files; connections stay. */
  reset(): void {
    this.#requests.clear()
    this.#protocolErrors.length = 0
    this.#queue.length = 0
    this.#files = new FileShelf()
    this.#always = this.#options.always ?? {}
  }

  /** The request at `index`, as soon as its headers have arrived. */
  async waitForRequest(index = 0, timeoutMs?: number): Promise<RecordedRequest> {
    return await this.#requests.waitForIndex(index, timeoutMs)
  }

  async listen(): Promise<this> {
    this.#server.listen(this.#options.port ?? 0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  /** Stops listening and cuts every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets.keys()) socket.destroy()
    await closed
  }

  #createServer(listener: RequestListener): Server {
    const { tls, keepAliveMs = 60_000 } = this.#options
    const settings = { maxHeaderSize: maxHeaderBytes, keepAliveTimeout: keepAliveMs, noDelay: true }
    const server =
      tls === undefined
        ? createServer(settings, listener)
        : createTlsServer({ ...settings, ...tls }, listener)
    // A test decides how long things take.
    Object.assign(server, { requestTimeout: 0, headersTimeout: 0, timeout: 0 })
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#sockets.set(socket, this.#connections)
      this.#connections += 1
      socket.on('error', () => undefined)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.on('clientError', (error: Error & { code?: string; rawPacket?: Buffer }, socket) => {
      if (error.rawPacket !== undefined) {
        this.#protocolErrors.push({ code: error.code ?? '', bytes: error.rawPacket })
      }
      socket.destroy()
    })
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      this.#requests.push(new RecordedRequest(request, null, this.#sockets.get(socket) ?? -1))
      socket.end('HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n')
    })
    return server
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const queued = this.#queue.shift()
    this.#requests.push(request)
    if (queued?.answerBeforeBody !== true && !(await request.bodyEnded)) return
    const behaviour = queued ?? this.#behaviourOf(request)
    if (behaviour.raw === undefined)
      await deliver(exchange, this.#reply(request, behaviour), behaviour)
    else await deliverRaw(exchange, behaviour)
  }

  #behaviourOf(request: RecordedRequest): Behaviour {
    const model = fieldsOf(request)?.model
    const requested = requestedBehaviour(
      request.header(behaviourHeader),
      typeof model === 'string' ? model : undefined,
      this.#options.models ?? {},
    )
    if (requested !== undefined) return requested
    return typeof this.#always === 'function' ? this.#always(request) : this.#always
  }

  #reply(request: RecordedRequest, behaviour: Behaviour): Reply {
    const family = familyOf(request)
    const { requestId, fields } = providerHeaders(family, this.requests.indexOf(request))
    const call = { request, family, requestId, behaviour, files: this.#files }
    const reply = this.#isKnown(request) ? chosenReply(call) : errorReply(family, 401, requestId)
    return { ...reply, headers: [...fields, ...reply.headers] }
  }

  #isKnown(request: RecordedRequest): boolean {
    const { apiKeys } = this.#options
    if (apiKeys === undefined) return true
    const bearer = request.header('authorization')?.replace(/^Bearer /i, '')
    const given = bearer ?? request.header('x-api-key') ?? request.header('api-key')
    return given !== undefined && apiKeys.includes(given)
  }
}

function chosenReply(call: Call): Reply {
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

/** Starts a provider on a free port of 127.0.0.1. */
export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  return await new Provider(options).listen()
}
