import { connect, type Socket } from 'node:net'
import { defaultTimeoutMs, withTimeout } from '../process/waiting.ts'

/** How the peer left: an orderly end, or a reset (RST) or another error. */
export type Ending = 'closed' | 'reset'

/** One TCP connection whose every byte the test writes and reads itself. */
export class RawConnection implements AsyncDisposable {
  /** Settles when the peer has ended its side or the connection is gone. Never rejects. */
  readonly ended: Promise<Ending>
  readonly #socket: Socket
  readonly #chunks: Buffer[] = []
  readonly #watchers = new Set<() => void>()
  readonly #closed: Promise<unknown>
  #ending: Ending | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    const { promise, resolve } = Promise.withResolvers<Ending>()
    this.ended = promise
    const end = (ending: Ending) => {
      this.#ending ??= ending
      resolve(this.#ending)
      this.#changed()
    }
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#changed()
    })
    socket.on('error', () => end('reset'))
    socket.on('end', () => end('closed'))
    socket.on('close', () => end('closed'))
    this.#closed = new Promise((done) => socket.once('close', done))
  }

  /** Everything received so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** How many pieces it came in, and which: what the kernel delivered at once is one piece. */
  get pieces(): readonly Buffer[] {
    return this.#chunks
  }

  /** How the peer left; `null` while it is there. */
  get ending(): Ending | null {
    return this.#ending
  }

  /** Settles when the kernel has taken the bytes, or the connection is gone. */
  async write(bytes: string | Uint8Array): Promise<void> {
    if (this.#socket.destroyed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.write(bytes, () => resolve())
    await Promise.race([promise, this.#closed])
  }

  /** Waits until what was received contains a text or satisfies a test; gives all that was received. */
  async waitFor(
    wanted: string | ((received: Buffer) => boolean),
    timeoutMs = defaultTimeoutMs,
  ): Promise<Buffer> {
    const isThere = () =>
      typeof wanted === 'string' ? this.received.includes(wanted) : wanted(this.received)
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const look = () => {
      if (isThere()) resolve(this.received)
      else if (this.#ending !== null) reject(new Error(this.#describe(`${this.#ending} before`)))
    }
    this.#watchers.add(look)
    look()
    try {
      return await withTimeout(promise, timeoutMs, () => this.#describe('did not see'))
    } finally {
      this.#watchers.delete(look)
    }
  }

  /** Stops reading: the peer soon feels the backpressure. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Ends the writing side (FIN) and goes on reading. */
  halfClose(): void {
    this.#socket.end()
  }

  /** Ends the connection with RST, as a crashed peer does. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return
    this.#socket.destroy()
    await this.#closed
  }

  #describe(what: string): string {
    return `the connection ${what} the expected bytes; received: ${this.received.toString('latin1')}`
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }
}

export interface ConnectOptions {
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** The loopback address to come from, such as 127.0.0.2. */
  readonly localAddress?: string
}

/** Opens a connection; rejects when nobody listens. */
export async function connectRaw({
  port,
  host = '127.0.0.1',
  localAddress,
}: ConnectOptions): Promise<RawConnection> {
  const socket = connect({ port, host, ...(localAddress === undefined ? {} : { localAddress }) })
  const connection = new RawConnection(socket)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('connect', resolve)
  socket.once('error', reject)
  await promise
  socket.off('error', reject)
  return connection
}
