import { connect, type Socket } from 'node:net'
import { type MessageEvents, MessageParser } from './http1.ts'

/** What one exchange tells its caller. After `failed` or `end` nothing more is reported. */
export interface ExchangeEvents extends MessageEvents {
  failed(reason: string): void
}

/** One keep-alive connection that carries one request at a time and is opened when first needed. */
export class Connection {
  readonly #port: number
  #socket: Socket | undefined
  #current: ExchangeEvents | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Sends `request` and reports its response to `events`. */
  send(request: Buffer, events: ExchangeEvents): void {
    this.#current = events
    this.#socket ??= this.#open()
    this.#socket.write(request)
  }

  close(): void {
    this.#current = undefined
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Socket {
    const parser = new MessageParser({
      head: (text) => this.#current?.head(text),
      body: (buffer, start, end) => this.#current?.body(buffer, start, end),
      end: () => {
        const done = this.#current
        this.#current = undefined
        done?.end()
      },
    })
    const buffer = Buffer.allocUnsafeSlow(16_384)
    const socket = connect({
      port: this.#port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          try {
            parser.feed(buffer, length)
          } catch (error) {
            socket.destroy(error as Error)
          }
          return true
        },
      },
    })
    socket.on('error', (error) => this.#fail(socket, error.message))
    socket.on('close', () => this.#fail(socket, 'connection closed before the response had ended'))
    return socket
  }

  #fail(socket: Socket, reason: string): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    const lost = this.#current
    this.#current = undefined
    lost?.failed(reason)
  }
}

/** Sends one request and resolves with its status and body; rejects when the connection fails. */
export function exchange(port: number, request: Buffer): Promise<{ status: number; body: string }> {
  const connection = new Connection(port)
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    let status = 0
    let body = ''
    connection.send(request, {
      head: (text) => {
        status = statusOf(text)
      },
      body: (buffer, start, end) => {
        body += buffer.toString('latin1', start, end)
      },
      end: () => resolve({ status, body }),
      failed: (reason) => reject(new Error(reason)),
    })
  }).finally(() => connection.close())
}

/** The status of a response's head: the three digits after `HTTP/1.1 `. */
export function statusOf(head: string): number {
  return Number(head.slice(9, 12))
}
