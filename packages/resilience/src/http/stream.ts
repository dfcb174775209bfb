import type { ResponseBody } from './call-options.ts'

/** How much of a body waits for its reader before the connection is told to wait. */
const HIGH_WATER_BYTES = 64 * 1024

/** What a body comes from: it hears what its reader does. */
export interface BodySource {
  readerWaits(): void
  readerBusy(): void
  readerHasRoom(): void
  readerFinished(): void
  readerLeft(): void
}

type Step = IteratorResult<Uint8Array, undefined>

interface Waiter {
  readonly resolve: (step: Step) => void
  readonly reject: (error: Error) => void
}

const DONE: Step = { done: true, value: undefined }

/**
 * A body as it comes, for one reader. It arrives no faster than it is read. A reader that leaves early
 * (`break`, `return`, an error thrown in the loop) closes the connection.
 */
export class BodyStream implements ResponseBody, AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: BodySource
  readonly #waiters: Waiter[] = []
  #chunks: Uint8Array[] = []
  #bytes = 0
  #paused = false
  #begun = false
  #ended = false
  #unwanted = false
  #error: Error | undefined

  constructor(source: BodySource) {
    this.#source = source
  }

  /** @throws TypeError for a second reader. */
  [Symbol.asyncIterator](): this {
    if (this.#begun) throw new TypeError('A body can be read only once.')
    this.#begun = true
    return this
  }

  next(): Promise<Step> {
    this.#begun = true
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#bytes -= chunk.length
      this.#source.readerBusy()
      if (this.#paused && this.#bytes < HIGH_WATER_BYTES) {
        this.#paused = false
        this.#source.readerHasRoom()
      }
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#error !== undefined) return this.#raise(this.#error)
    if (this.#ended) return Promise.resolve(DONE)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#source.readerWaits()
    })
  }

  return(): Promise<Step> {
    this.cancel()
    return Promise.resolve(DONE)
  }

  cancel(): void {
    this.#leave()
    this.#source.readerLeft()
  }

  finish(): void {
    this.#leave()
    this.#source.readerFinished()
  }

  /** @internal Takes the next bytes; `true`: enough for now. */
  push(chunk: Uint8Array): boolean {
    if (this.#unwanted) return false
    const waiter = this.#waiters.shift()
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: chunk })
      if (this.#waiters.length === 0) this.#source.readerBusy()
      return false
    }
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    this.#paused = this.#bytes >= HIGH_WATER_BYTES
    return this.#paused
  }

  /** @internal The body is whole. */
  end(): void {
    this.#ended = true
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE)
  }

  /** @internal The body broke off: told once everything that came has been read. */
  fail(error: Error): void {
    if (this.#unwanted) return
    const waiter = this.#waiters.shift()
    if (waiter === undefined) this.#error = error
    else waiter.reject(error)
    this.end()
  }

  #leave(): void {
    this.#unwanted = true
    this.#chunks = []
    this.#bytes = 0
    this.#error = undefined
    this.end()
  }

  /** An iterator that has thrown is done. */
  #raise(error: Error): Promise<Step> {
    this.#error = undefined
    return Promise.reject(error)
  }
}

/** A body that has come already. */
export function wholeStream(body: Uint8Array): BodyStream {
  const stream = new BodyStream(nobody)
  if (body.length > 0) stream.push(body)
  stream.end()
  return stream
}

const nobody: BodySource = {
  readerWaits: () => {},
  readerBusy: () => {},
  readerHasRoom: () => {},
  readerFinished: () => {},
  readerLeft: () => {},
}
