import type { Following, Recording, RecordingFault, RecordingReader } from './recording.ts'

/** A reader that writes down what it is told. */
export class Listener implements RecordingReader<unknown> {
  head: unknown
  readonly chunks: Uint8Array[] = []
  ended = false
  fault: RecordingFault | undefined
  /** How many chunks it takes before it says that it can't take more. */
  takes: number
  place: Following | undefined
  onChunk: (() => void) | undefined

  constructor(takes = Number.POSITIVE_INFINITY) {
    this.takes = takes
  }

  follow(recording: Recording<unknown>): this {
    this.place = recording.follow(this)
    return this
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }

  get over(): boolean {
    return this.ended || this.fault !== undefined
  }

  onHead(head: unknown): void {
    this.#mustBeOpen()
    this.head = head
  }

  onData(chunk: Uint8Array): boolean {
    this.#mustBeOpen()
    this.chunks.push(chunk)
    this.takes -= 1
    this.onChunk?.()
    return this.takes > 0
  }

  onEnd(): void {
    this.#mustBeOpen()
    this.ended = true
  }

  onFail(fault: RecordingFault): void {
    this.#mustBeOpen()
    this.fault = fault
  }

  /** Takes so many more chunks. */
  take(more = Number.POSITIVE_INFINITY): void {
    this.takes = more
    this.place?.resume()
  }

  #mustBeOpen(): void {
    if (this.over) throw new TypeError('The reader was called after its end.')
  }
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}
