import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'

/** A client that closed its connection before it had the whole reply. */
export interface EarlyClose {
  /** `performance.now()` when the provider noticed. */
  readonly atMs: number
  /** Milliseconds since the request arrived. */
  readonly afterMs: number
  /** Body bytes handed to the kernel by then. */
  readonly bytesSent: number
}

/** One request, exactly as it arrived. */
export class RecordedRequest {
  readonly method: string
  /** The request target, byte for byte. */
  readonly target: string
  readonly httpVersion: string
  /** Names and values alternate, in order and original case, duplicates kept. */
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingHttpHeaders
  /** Number of the TCP connection it came on, from 0. */
  readonly connection: number
  readonly receivedAtMs = performance.now()
  /** Settles when the body has ended: `true` when all of it came. */
  readonly bodyEnded: Promise<boolean>
  /** Settles when the exchange is over: `null` unless the client closed early. */
  readonly closedEarly: Promise<EarlyClose | null>
  /** Aborted when the exchange is over, however it ended. */
  readonly over: AbortSignal
  /** Body bytes of the reply that the kernel has taken. */
  bytesSent = 0
  /** The named fault that it met, if one was chosen for it. */
  fault: string | undefined
  /** Set when the provider itself cuts the connection, so that this is no early close. */
  cutByProvider = false
  readonly #incoming: IncomingMessage
  readonly #response: ServerResponse | null
  readonly #chunks: Buffer[] = []
  #bodyComplete = false

  constructor(incoming: IncomingMessage, response: ServerResponse | null, connection: number) {
    this.method = incoming.method ?? ''
    this.target = incoming.url ?? ''
    this.httpVersion = incoming.httpVersion
    this.rawHeaders = incoming.rawHeaders
    this.headers = incoming.headers
    this.connection = connection
    this.#incoming = incoming
    this.#response = response
    const over = new AbortController()
    this.over = over.signal
    this.bodyEnded = this.#readBody()
    this.closedEarly = response === null ? Promise.resolve(null) : this.#watch(response, over)
  }

  /** The path without the query string. */
  get path(): string {
    return this.target.split('?', 1)[0] ?? ''
  }

  /** What has come of the body. */
  get body(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** Whether the whole body came, as its framing says. */
  get bodyComplete(): boolean {
    return this.#bodyComplete
  }

  /** SHA-256 of the body, in hex. */
  get sha256(): string {
    return createHash('sha256').update(this.body).digest('hex')
  }

  get text(): string {
    return this.body.toString('utf8')
  }

  /** The body as JSON; throws when it isn't. */
  get json(): unknown {
    return JSON.parse(this.text)
  }

  /** The body's `model`, when it is JSON and has one. */
  get model(): string | undefined {
    try {
      const value: unknown = this.json
      const has = typeof value === 'object' && value !== null && 'model' in value
      return has && typeof value.model === 'string' ? value.model : undefined
    } catch {
      return undefined
    }
  }

  /** The status it was answered with; none as long as there was no answer, and with `raw` bytes. */
  get status(): number | undefined {
    return this.#response?.headersSent ? this.#response.statusCode : undefined
  }

  get trailers(): readonly string[] {
    return this.#incoming.rawTrailers
  }

  /** All values of a header, by name in any case. */
  headerValues(name: string): string[] {
    const wanted = name.toLowerCase()
    return this.rawHeaders.filter(
      (_, index) => index % 2 === 1 && this.rawHeaders[index - 1]?.toLowerCase() === wanted,
    )
  }

  /** The first value of a header, by name in any case. */
  header(name: string): string | undefined {
    return this.headerValues(name)[0]
  }

  #readBody(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const end = () => {
      this.#bodyComplete = this.#incoming.complete
      resolve(this.#bodyComplete)
    }
    this.#incoming.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
    this.#incoming.on('end', end)
    this.#incoming.on('error', end)
    this.#incoming.on('close', end)
    return promise
  }

  #watch(response: ServerResponse, over: AbortController): Promise<EarlyClose | null> {
    const { promise, resolve } = Promise.withResolvers<EarlyClose | null>()
    response.on('error', () => undefined)
    response.on('close', () => {
      const early = !response.writableFinished && !this.cutByProvider
      const atMs = performance.now()
      const afterMs = atMs - this.receivedAtMs
      over.abort()
      resolve(early ? { atMs, afterMs, bytesSent: this.bytesSent } : null)
    })
    return promise
  }
}
