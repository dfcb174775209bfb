import { once } from 'node:events'
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { Journal } from '../process/waiting.ts'
import { UpstreamSocket } from './upstream-socket.ts'

/** What happens to one handshake. Default: accepted, and every message comes back as it was. */
export interface Handshake {
  /** Refuses with this status and body instead of switching protocols. */
  readonly refuse?: {
    readonly status: number
    readonly body?: string
    readonly headers?: Readonly<Record<string, string>>
  }
  /** The subprotocol to choose. Default: the first one offered. `null`: none. */
  readonly subprotocol?: string | null
  /** Headers to add to the 101. */
  readonly headers?: Readonly<Record<string, string>>
  /** Messages to send at once. */
  readonly greet?: ReadonlyArray<string | Uint8Array>
  /** Whether messages come back. Default true. */
  readonly echo?: boolean
  /** Closes with this code and reason after so many messages. */
  readonly closeAfter?: {
    readonly messages: number
    readonly code: number
    readonly reason?: string
  }
  /** Cuts the TCP connection without a close frame after so many messages. */
  readonly dieAfter?: { readonly messages: number }
  /** Never answers the handshake. */
  readonly hang?: boolean
}

export interface WebSocketUpstreamOptions {
  /** What to do with every handshake that `next` doesn't decide. */
  readonly always?: Handshake
  /** The largest message accepted, in bytes. Default 100 MiB. */
  readonly maxMessageBytes?: number
}

/** A request to switch protocols, exactly as it arrived, accepted or not. */
export interface RecordedHandshake {
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
}

const joinPath = '/rtc'
// A LiveKit SignalResponse whose first field is `join`: enough for a relay, which must not look inside.
const joinMessage = Uint8Array.from([0x0a, 0x04, 0x0a, 0x02, 0x52, 0x4d])

function handshakeOf(request: IncomingMessage, usual: Handshake): Handshake {
  const target = new URL(request.url ?? '/', 'http://upstream')
  if (target.pathname !== joinPath) return usual
  return (target.searchParams.get('access_token') ?? '') === ''
    ? { refuse: { status: 401, body: 'no permissions to access the room' } }
    : { greet: [joinMessage], ...usual }
}

function refuse(socket: Duplex, refusal: NonNullable<Handshake['refuse']>): void {
  const { status, body = '', headers = {} } = refusal
  const fields = {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  const reason = STATUS_CODES[status] ?? ''
  socket.end([`HTTP/1.1 ${status} ${reason}`, ...lines, '', body].join('\r\n'))
}

/** A real WebSocket server that echoes, closes, dies and refuses on request. */
export class WebSocketUpstream implements AsyncDisposable {
  readonly #sockets = new Journal<UpstreamSocket>('WebSocket connection')
  readonly #handshakes = new Journal<RecordedHandshake>('handshake')
  readonly #queue: Handshake[] = []
  readonly #open = new Set<Duplex>()
  readonly #options: WebSocketUpstreamOptions
  readonly #server = createServer((_, response) => {
    response.writeHead(426, { upgrade: 'websocket', connection: 'upgrade' })
    response.end('a WebSocket handshake is required')
  })

  constructor(options: WebSocketUpstreamOptions) {
    this.#options = options
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => undefined)
      this.#accept(request, socket, head)
    })
    this.#server.on('connection', (socket: Duplex) => {
      this.#open.add(socket)
      socket.on('close', () => this.#open.delete(socket))
    })
  }

  /** Every handshake asked for, in order. */
  get handshakes(): readonly RecordedHandshake[] {
    return this.#handshakes.items
  }

  /** Every connection accepted, in order. */
  get sockets(): readonly UpstreamSocket[] {
    return this.#sockets.items
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The origin for an `http` upstream. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** The origin for a WebSocket client. */
  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /** Decides what happens to the next handshakes, one each. */
  next(...handshakes: readonly Handshake[]): this {
    this.#queue.push(...handshakes)
    return this
  }

  /** The connection at `index`, as soon as it is accepted. */
  async waitForSocket(index = 0, timeoutMs?: number): Promise<UpstreamSocket> {
    return await this.#sockets.waitForIndex(index, timeoutMs)
  }

  /** The handshake at `index`, as soon as it is asked for. */
  async waitForHandshake(index = 0, timeoutMs?: number): Promise<RecordedHandshake> {
    return await this.#handshakes.waitForIndex(index, timeoutMs)
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#open) socket.destroy()
    await closed
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { url = '', rawHeaders, headers } = request
    const handshake = this.#queue.shift() ?? handshakeOf(request, this.#options.always ?? {})
    this.#handshakes.push({ target: url, rawHeaders, headers })
    if (handshake.hang === true) return
    if (handshake.refuse !== undefined) {
      refuse(socket, handshake.refuse)
      return
    }
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: this.#options.maxMessageBytes ?? 100 * 1024 * 1024,
      perMessageDeflate: false,
      handleProtocols: (offered) => {
        const { subprotocol } = handshake
        return subprotocol === undefined ? ([...offered][0] ?? false) : (subprotocol ?? false)
      },
    })
    server.on('headers', (lines) => {
      for (const [name, value] of Object.entries(handshake.headers ?? {})) {
        lines.push(`${name}: ${value}`)
      }
    })
    server.handleUpgrade(request, socket, head, (client: WebSocket) => {
      this.#sockets.push(new UpstreamSocket(client, request, handshake))
    })
  }
}

/** Starts a WebSocket server on a free port of 127.0.0.1. */
export async function startWebSocketUpstream(
  options: WebSocketUpstreamOptions = {},
): Promise<WebSocketUpstream> {
  return await new WebSocketUpstream(options).listen()
}
