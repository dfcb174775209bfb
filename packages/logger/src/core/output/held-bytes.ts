import { countLines } from './loss.ts'

const NEWLINE = 10

/** Bytes that wait to be written, oldest first. Knows whether the last write stopped within a line. */
export class HeldBytes {
  #chunks: Buffer[] = []
  #length = 0
  #torn = false

  get length(): number {
    return this.#length
  }

  add(text: string): void {
    const bytes = Buffer.from(text)
    this.#chunks.push(bytes)
    this.#length += bytes.length
  }

  /** Calls `write` until all is written; it returns how much it took, and ends the work by throwing. */
  drain(write: (bytes: Buffer) => number): void {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const taken = write(chunk)
      if (taken > 0) this.#torn = chunk[taken - 1] !== NEWLINE
      this.#length -= taken
      if (taken === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(taken)
    }
  }

  countLines(): number {
    return this.#chunks.reduce((lines, chunk) => lines + countLines(chunk), 0)
  }

  /** Drops everything for good: whoever read it is gone, and no line follows. */
  forget(): void {
    this.#chunks = []
    this.#length = 0
    this.#torn = false
  }

  /** Drops everything. A line that was cut in the middle is ended, so that the next one stays whole. */
  clear(): void {
    this.#chunks = this.#torn ? [Buffer.from('\n')] : []
    this.#length = this.#chunks.length
  }
}
