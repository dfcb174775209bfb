import type { IncomingMessage } from 'node:http'
import type { RawData, WebSocket } from 'ws'
import { Journal } from '../process/waiting.ts'
import type { Handshake } from './websocket-upstream.ts'

/** A message as it arrived. */
export interface SocketMessage {
  readonly data: Buffer
  readonly binary: boolean
}

/** How a connection ended: 1006 means without a close frame (RFC 6455, 7.1.5). */
export interface SocketClose {
  readonly code: number
  readonly reason: string
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

/** The upstream's end of one WebSocket connection, recorded, and free for the test to drive. */
export class UpstreamSocket {
  readonly target: string
  readonly headers: IncomingMessage['headers']
  /** The subprotocol chosen; empty when none was. */
  readonly subprotocol: string
  /** Settles when the connection has ended. */
  readonly closed: Promise<SocketClose>
  readonly #messages = new Journal<SocketMessage>('message')
  readonly #pings = new Journal<Buffer>('ping')
  readonly #pongs = new Journal<Buffer>('pong')
  readonly #client: WebSocket

  constructor(client: WebSocket, request: IncomingMessage, handshake: Handshake) {
    this.#client = client
    this.target = request.url ?? ''
    this.headers = request.headers
    this.subprotocol = client.protocol
    const { promise, resolve } = Promise.withResolvers<SocketClose>()
    this.closed = promise
    client.on('error', () => undefined)
    client.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    client.on('ping', (data) => this.#pings.push(data))
    client.on('pong', (data) => this.#pongs.push(data))
    client.on('message', (data, binary) => this.#receive(toBuffer(data), binary, handshake))
    for (const message of handshake.greet ?? []) client.send(message)
    this.#endAfter(0, handshake)
  }

  get messages(): readonly SocketMessage[] {
    return this.#messages.items
  }

  get pings(): readonly Buffer[] {
    return this.#pings.items
  }

  /** Bytes accepted by `send` that the network has not taken: grows under backpressure. */
  get bufferedBytes(): number {
    return this.#client.bufferedAmount
  }

  async waitForMessage(index = 0, timeoutMs?: number): Promise<SocketMessage> {
    return await this.#messages.waitForIndex(index, timeoutMs)
  }

  /** Settles when the bytes were handed to the kernel, or the connection is gone. */
  async send(data: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.#client.send(data, () => resolve()))
  }

  /** Sends a ping and waits for its pong. */
  async ping(data = ''): Promise<void> {
    const before = this.#pongs.items.length
    this.#client.ping(data)
    await this.#pongs.waitForIndex(before)
  }

  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void {
    this.#client.close(code, reason)
  }

  /** Cuts the connection without a close frame. */
  terminate(): void {
    this.#client.terminate()
  }

  /** Stops reading: the peer soon feels the backpressure. */
  pause(): void {
    this.#client.pause()
  }

  resume(): void {
    this.#client.resume()
  }

  #receive(data: Buffer, binary: boolean, handshake: Handshake): void {
    this.#messages.push({ data, binary })
    if (handshake.echo !== false) this.#client.send(data, { binary })
    this.#endAfter(this.#messages.items.length, handshake)
  }

  #endAfter(messages: number, { closeAfter, dieAfter }: Handshake): void {
    if (closeAfter?.messages === messages) this.close(closeAfter.code, closeAfter.reason)
    if (dieAfter?.messages === messages) this.terminate()
  }
}
