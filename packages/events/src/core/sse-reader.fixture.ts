import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** Reads Server-Sent Events as a browser would, when it is asked to. */
export class SseReader {
  readonly retries: number[] = []
  /** All that came. */
  text = ''
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  readonly #events: EventSourceMessage[] = []
  readonly #parser = createParser({
    onEvent: (event) => this.#events.push(event),
    onRetry: (ms) => this.retries.push(ms),
  })

  constructor(stream: ReadableStream<Uint8Array> | null) {
    if (stream === null) throw new TypeError('There is no body.')
    this.#reader = stream.getReader()
  }

  /** The next event; `undefined` at the end. */
  async next(): Promise<EventSourceMessage | undefined> {
    while (this.#events.length === 0) if (!(await this.readSome())) return undefined
    return this.#events.shift()
  }

  /** The data of so many events, or of fewer when it ends. */
  async take(count: number): Promise<readonly string[]> {
    const taken: string[] = []
    while (taken.length < count) {
      const event = await this.next()
      if (event === undefined) break
      taken.push(event.event === 'gap' ? `gap ${event.data}` : event.data)
    }
    return taken
  }

  /** Reads until what came includes a text. */
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (!(await this.readSome())) throw new Error(`The end, without ${JSON.stringify(text)}.`)
    }
  }

  async readSome(): Promise<boolean> {
    const { value, done } = await this.#reader.read()
    if (done) return false
    const text = this.#decoder.decode(value, { stream: true })
    this.text += text
    this.#parser.feed(text)
    return true
  }

  async leave(): Promise<void> {
    await this.#reader.cancel()
  }
}
