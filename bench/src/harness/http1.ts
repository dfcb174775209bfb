/** What a message on a connection is made of, in the order it arrives. */
export interface MessageEvents {
  /** Start line and headers as received, without the empty line that ends them. */
  head(text: string): void
  /** A slice of the decoded body. The buffer is reused: copy what must outlive the call. */
  body(buffer: Buffer, start: number, end: number): void
  end(): void
}

type State = 'head' | 'fixed' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailer'

const CONTENT_LENGTH = /\ncontent-length: *(\d+)/i
const CHUNKED = /\ntransfer-encoding: *chunked/i

/**
 * Reads a run of HTTP/1.1 messages with a length or chunks. It trusts its peer: both ends of the
 * benchmark are ours, and everything checked here would be paid for by the load side.
 */
export class MessageParser {
  readonly #events: MessageEvents
  #state: State = 'head'
  #partial = ''
  #remaining = 0

  constructor(events: MessageEvents) {
    this.#events = events
  }

  feed(buffer: Buffer, length: number): void {
    let at = 0
    while (at < length) {
      switch (this.#state) {
        case 'head':
          at = this.#head(buffer, at, length)
          break
        case 'fixed':
        case 'chunk-data':
          at = this.#data(buffer, at, length)
          break
        default:
          at = this.#line(buffer, at, length)
      }
    }
  }

  #head(buffer: Buffer, at: number, length: number): number {
    const before = this.#partial.length
    const text = this.#partial + buffer.toString('latin1', at, length)
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) {
      this.#partial = text
      return length
    }
    this.#partial = ''
    const head = text.slice(0, end)
    const chunked = CHUNKED.test(head)
    this.#remaining = chunked ? 0 : Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0)
    this.#state = chunked ? 'chunk-size' : this.#remaining > 0 ? 'fixed' : 'head'
    this.#events.head(head)
    if (this.#state === 'head') this.#events.end()
    return at + end + 4 - before
  }

  #data(buffer: Buffer, at: number, length: number): number {
    const end = Math.min(length, at + this.#remaining)
    this.#remaining -= end - at
    this.#events.body(buffer, at, end)
    if (this.#remaining === 0) {
      if (this.#state === 'fixed') {
        this.#state = 'head'
        this.#events.end()
      } else this.#state = 'chunk-end'
    }
    return end
  }

  #line(buffer: Buffer, at: number, length: number): number {
    const newline = buffer.indexOf(10, at)
    if (newline < 0 || newline >= length) {
      this.#partial += buffer.toString('latin1', at, length)
      return length
    }
    const line = (this.#partial + buffer.toString('latin1', at, newline)).trimEnd()
    this.#partial = ''
    if (this.#state === 'chunk-size') {
      this.#remaining = Number.parseInt(line, 16)
      if (Number.isNaN(this.#remaining)) throw new Error(`not a chunk size: ${line.slice(0, 40)}`)
      this.#state = this.#remaining > 0 ? 'chunk-data' : 'trailer'
    } else if (this.#state === 'chunk-end') this.#state = 'chunk-size'
    else if (line === '') {
      this.#state = 'head'
      this.#events.end()
    }
    return newline + 1
  }
}
