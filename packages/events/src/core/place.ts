import type { Following, RecordingFault, RecordingReader } from './recording.ts'

/** What a place is told of the recording that it reads. */
export interface Track<Head> {
  readonly head: Head | undefined
  /** How many chunks there are, those that were dropped included. */
  readonly length: number
  /** Whether more chunks may come. */
  readonly open: boolean
  /** Why there is no good end, once that is so. */
  readonly fault: RecordingFault | undefined
  chunk(at: number): Uint8Array
  /** The reader takes more again: all that there is was taken. */
  caughtUp(): void
  left(place: Place<Head>): void
  threw(error: unknown): void
}

type Mode = 'starting' | 'flowing' | 'waiting' | 'gone'

/** How far a reader is, and all calls to it. */
export class Place<Head> implements Following {
  readonly #track: Track<Head>
  readonly #reader: RecordingReader<Head>
  #mode: Mode = 'starting'
  #headed = false
  #busy = false
  /** Asked for from inside `onData`, whose false then doesn't count: else nothing would ask again. */
  #resumed = false
  /** The number of the next chunk. */
  at = 0
  /** How many bytes the reader was given. */
  bytes = 0

  constructor(track: Track<Head>, reader: RecordingReader<Head>) {
    this.#track = track
    this.#reader = reader
  }

  /** Whether it would take what comes next. */
  get takes(): boolean {
    return this.#mode === 'flowing' || this.#mode === 'starting'
  }

  start(): void {
    if (this.#mode !== 'starting') return
    this.#mode = 'flowing'
    this.advance()
    if (this.takes) this.#track.caughtUp()
  }

  resume(): void {
    this.#resumed = true
    if (this.#mode !== 'waiting') return
    this.#mode = 'flowing'
    this.advance()
    if (this.takes) this.#track.caughtUp()
  }

  leave(): void {
    if (this.#mode === 'gone') return
    this.#mode = 'gone'
    this.#track.left(this)
  }

  /** Fails it at once, whatever it still had to come. */
  cut(fault: RecordingFault): void {
    if (this.#mode !== 'gone') this.#finish(fault)
  }

  /** Gives the reader whatever it takes of what there is. */
  advance(): void {
    if (this.#busy || this.#mode === 'gone') return
    if (this.#mode === 'starting') this.#mode = 'flowing'
    this.#busy = true
    try {
      this.#deliver()
    } catch (error) {
      this.#track.threw(error)
      this.leave()
    } finally {
      this.#busy = false
    }
  }

  #deliver(): void {
    const track = this.#track
    if (!this.#headed && track.head !== undefined) {
      this.#headed = true
      this.#reader.onHead(track.head)
    }
    while (this.#mode === 'flowing' && this.at < track.length) {
      const chunk = track.chunk(this.at)
      this.at += 1
      this.bytes += chunk.length
      this.#resumed = false
      if (!this.#reader.onData(chunk) && !this.#resumed && this.takes) this.#mode = 'waiting'
    }
    if (this.#mode === 'gone' || track.open || this.at < track.length) return
    this.#finish(track.fault)
  }

  #finish(fault: RecordingFault | undefined): void {
    this.#mode = 'gone'
    try {
      if (fault === undefined) this.#reader.onEnd()
      else this.#reader.onFail(fault)
    } catch (error) {
      this.#track.threw(error)
    }
    this.#track.left(this)
  }
}
