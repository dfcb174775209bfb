import { type IncomingMessage, request } from 'node:http'

/** How a client's answer ended: in good order, or broken off. */
export type End = 'whole' | 'broken' | 'left'

/** A client with a connection of its own, who reads, stops reading and leaves when told to. */
export class Client {
  readonly head: Promise<IncomingMessage>
  readonly end: Promise<End>
  #chunks: Buffer[] = []
  #left = false
  readonly #leave: () => void

  constructor(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    const sent = request(url, {
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    })
    const head = Promise.withResolvers<IncomingMessage>()
    const end = Promise.withResolvers<End>()
    const broken = (): void => end.resolve(this.#left ? 'left' : 'broken')
    sent.on('response', (response) => {
      head.resolve(response)
      response.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
      response.on('end', () => end.resolve('whole'))
      response.on('error', broken)
      response.on('close', broken)
    })
    sent.on('error', (error) => {
      head.reject(error)
      broken()
    })
    this.head = head.promise
    this.end = end.promise
    this.head.catch(() => undefined)
    this.#leave = () => sent.destroy()
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  }

  /** What has come so far. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString()
  }

  leave(): void {
    this.#left = true
    this.#leave()
  }

  /** All of the answer, once it has ended. */
  async whole(): Promise<{
    status: number
    headers: IncomingMessage['headers']
    text: string
    end: End
  }> {
    const { statusCode = 0, headers } = await this.head
    return { status: statusCode, headers, end: await this.end, text: this.text }
  }
}

/** Opens one by one what waits for it. */
export class Turnstile {
  #open = 0
  #waiting: (() => void)[] = []

  pass = (): Promise<void> => {
    if (this.#open > 0) {
      this.#open -= 1
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Lets so many through, now or when they come. */
  let(count = 1): void {
    for (let i = 0; i < count; i += 1) {
      const next = this.#waiting.shift()
      if (next === undefined) this.#open += 1
      else next()
    }
  }
}
