import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { ClientGone } from '@tidegate/server'
import type { GatewayRequest } from './request.ts'

type Parts = 'method' | 'url' | 'headers' | 'signal' | 'clone' | 'body' | 'bodyUsed'
type Readings = 'arrayBuffer' | 'blob' | 'bytes' | 'formData' | 'json' | 'text'

/** The Web's view of Node's request, as far as Hono looks at one: each part is made when it is asked for. */
export class NodeRequest implements Pick<Request, Parts | Readings> {
  readonly method: string
  readonly #incoming: GatewayRequest
  readonly #outgoing: ServerResponse
  #headers: Headers | undefined = undefined
  #controller: AbortController | undefined = undefined
  #request: Request | undefined = undefined

  constructor(incoming: GatewayRequest, outgoing: ServerResponse) {
    this.method = incoming.method ?? 'GET'
    this.#incoming = incoming
    this.#outgoing = outgoing
  }

  get url(): string {
    const { headers, secure, url } = this.#incoming
    return `${secure ? 'https' : 'http'}://${headers.host ?? 'localhost'}${url}`
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = new Headers()
      const raw = this.#incoming.rawHeaders
      for (let i = 0; i + 1 < raw.length; i += 2)
        this.#headers.append(raw[i] ?? '', raw[i + 1] ?? '')
    }
    return this.#headers
  }

  /** Aborts when the client leaves before it has its answer. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController()
      const closed = (): void => {
        if (!this.#outgoing.writableFinished) controller.abort(new ClientGone())
      }
      if (this.#outgoing.closed) closed()
      else this.#outgoing.once('close', closed)
      this.#controller = controller
    }
    return this.#controller.signal
  }

  get body(): Request['body'] {
    return this.#whole().body
  }

  get bodyUsed(): boolean {
    return this.#request?.bodyUsed ?? false
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#whole().arrayBuffer()
  }

  blob(): ReturnType<Request['blob']> {
    return this.#whole().blob()
  }

  bytes(): ReturnType<Request['bytes']> {
    return this.#whole().bytes()
  }

  formData(): ReturnType<Request['formData']> {
    return this.#whole().formData()
  }

  json(): Promise<unknown> {
    return this.#whole().json()
  }

  text(): Promise<string> {
    return this.#whole().text()
  }

  clone(): Request {
    return this.#whole().clone() as Request
  }

  /** A request of the Web's own make. Whoever asks for it wants the body. */
  #whole(): Request {
    if (this.#request === undefined) {
      const { method, headers, signal } = this
      const init: RequestInit = { method, headers, signal }
      if (method !== 'GET' && method !== 'HEAD') {
        this.#incoming.welcomeBody(this.#outgoing)
        init.body = Readable.toWeb(this.#incoming) as ReadableStream<Uint8Array>
        init.duplex = 'half'
      }
      this.#request = new Request(this.url, init)
    }
    return this.#request
  }
}
