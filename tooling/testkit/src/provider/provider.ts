import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { Journal } from '../process/waiting.ts'
import type { Behaviour } from './behaviour.ts'
import { Decisions, type Standing } from './decisions.ts'
import { deliver, deliverRaw, type Exchange } from './delivery.ts'
import { familyOf, replyTo } from './endpoints.ts'
import { FileShelf } from './openai-media.ts'
import { type Outage, outageBehaviours } from './outage.ts'
import { errorReply } from './provider-errors.ts'
import { providerHeaders } from './provider-headers.ts'
import { RecordedRequest } from './recorded-request.ts'
import type { Reply } from './reply.ts'

export interface ProviderOptions {
  /** What to do with every request that nothing else decides. */
  readonly always?: Standing
  /**
   * What its good answers say, by which one provider is told from another; a behaviour that says
   * otherwise wins.
   */
  readonly answers?: Pick<Behaviour, 'model' | 'usage' | 'text'>
  /**
   * Behaviours that a request chooses by its `model`. `error-400` … `error-599` and `fault-…` are
   * there already.
   */
  readonly models?: Readonly<Record<string, Behaviour>>
  /** The keys accepted as Bearer or `x-api-key`; any other is a 401. Default: nobody is asked. */
  readonly apiKeys?: readonly string[]
  /** Serves HTTPS with this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** How long an idle connection is kept, in ms. Default 60000. */
  readonly keepAliveMs?: number
  /** The port to listen on. Default: a free one. */
  readonly port?: number
  /** Answers a request itself, uncounted: for a way to steer the provider from outside. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Called when an exchange is over, however it ended. */
  readonly onOver?: (request: RecordedRequest) => void
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
  #files = new FileShelf()
  readonly #sockets = new Map<Socket, number>()
  readonly #options: ProviderOptions
  readonly #server: Server
  readonly #decisions: Decisions
  #outage: Outage | undefined
  #stopping: Promise<void> | undefined
  #port = 0
  #connections = 0

  constructor(options: ProviderOptions) {
    this.#options = options
    this.#decisions = new Decisions(options.always ?? {}, options.models ?? {})
    this.#server = this.#createServer((request, response) => {
      if (options.intercept?.(request, response)) return
      const number = this.#sockets.get(request.socket) ?? -1
      const recorded = new RecordedRequest(request, response, number)
      void recorded.closedEarly.then(() => options.onOver?.(recorded))
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

  /** How many requests met each named fault. */
  get hitsByFault(): Readonly<Record<string, number>> {
    return tally(this.requests.map((request) => request.fault))
  }

  /** How many requests named each model. */
  get hitsByModel(): Readonly<Record<string, number>> {
    return tally(this.requests.map((request) => request.model))
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
    return this.#port
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
    this.#decisions.queue(behaviours)
    return this
  }

  /** Decides what happens to every request that nothing else decides. */
  always(behaviour: Standing): this {
    this.#decisions.stand(behaviour)
    return this
  }

  /** Plays a named fault (`storm`, `storm:3`) to every request that nothing else decides. */
  play(fault: string): this {
    this.#decisions.play(fault)
    return this
  }

  /** Goes out of order until `recover()`: no request is asked what it wants, nor `next` used up. */
  async die(outage: Outage = 'refuse'): Promise<void> {
    this.#outage = outage
    if (outage !== 'refuse') return
    this.#stopping = this.#stopListening()
    await this.#stopping
  }

  /** Works again, on the same port. */
  async recover(): Promise<void> {
    this.#outage = undefined
    await this.#stopping
    if (!this.#server.listening) await this.listen()
  }

  /** How it is out of order, if it is. */
  get outage(): Outage | undefined {
    return this.#outage
  }

  /** Forgets requests, behaviours and files; connections stay, and so does an outage. */
  reset(): void {
    this.#requests.clear()
    this.#protocolErrors.length = 0
    this.#files = new FileShelf()
    this.#decisions.reset(this.#options.always ?? {})
  }

  /** The request at `index`, as soon as its headers have arrived. */
  async waitForRequest(index = 0, timeoutMs?: number): Promise<RecordedRequest> {
    return await this.#requests.waitForIndex(index, timeoutMs)
  }

  async listen(): Promise<this> {
    this.#server.listen(this.#port || (this.#options.port ?? 0), '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  /** Stops listening and cuts every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopListening()
  }

  async #stopListening(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const request of this.requests) request.cutByProvider ||= !request.over.aborted
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
    const decided = this.#outageBehaviour ?? this.#decisions.take()
    this.#requests.push(request)
    if (decided?.answerBeforeBody !== true && !(await request.bodyEnded)) return
    const behaviour = {
      ...this.#options.answers,
      ...(decided ?? this.#decisions.behaviourOf(request)),
    }
    if (behaviour.raw === undefined)
      await deliver(exchange, this.#reply(request, behaviour), behaviour)
    else await deliverRaw(exchange, behaviour)
  }

  get #outageBehaviour(): Behaviour | undefined {
    return this.#outage === undefined ? undefined : outageBehaviours[this.#outage]
  }

  #reply(request: RecordedRequest, behaviour: Behaviour): Reply {
    const family = familyOf(request)
    const { requestId, fields } = providerHeaders(family, this.requests.indexOf(request))
    const call = { request, family, requestId, behaviour, files: this.#files }
    const reply = this.#isKnown(request) ? replyTo(call) : errorReply(family, 401, requestId)
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

function tally(names: ReadonlyArray<string | undefined>): Record<string, number> {
  const counts: Record<string, number> = Object.create(null)
  for (const name of names) {
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** Starts a provider on a free port of 127.0.0.1. */
export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  return await new Provider(options).listen()
}
