import { readSample, type Sample } from '../data/frame.ts'

/** As much of an `EventSource` as is used. */
export interface Source {
  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void
  close(): void
}

export interface SampleStreamOptions {
  readonly open: () => Source
  readonly onSample: (sample: Sample) => void
  /** The stream broke: maybe the gateway is gone, or the session. */
  readonly onBreak: () => void
  readonly now: () => number
}

/** A proxy may keep a stream to itself: with nothing heard for so long it isn't one. */
const QUIET_MS = 6_000
/** A stream that ended for good, or stays quiet, is asked for again after so long. */
const AGAIN_MS = 15_000

/** The gateway's samples as they come. The browser reconnects by itself, unless it was refused. */
export class SampleStream {
  readonly #options: SampleStreamOptions
  #source: Source | undefined
  #openedAt = 0
  /** When something was heard last, or could have been expected. */
  #heardAt = 0

  constructor(options: SampleStreamOptions) {
    this.#options = options
  }

  /** Whether samples come this way. */
  get flowing(): boolean {
    return this.#source !== undefined && this.#options.now() - this.#heardAt <= QUIET_MS
  }

  /** Opens it where it isn't, and again where nothing comes. */
  tend(): void {
    if (this.#source === undefined) this.restart()
    else if (!this.flowing && this.#options.now() - this.#openedAt >= AGAIN_MS) this.#open()
  }

  /** Opens it, and expects to hear from it. */
  restart(): void {
    this.#heardAt = this.#options.now()
    this.#open()
  }

  stop(): void {
    this.#source?.close()
    this.#source = undefined
  }

  #open(): void {
    this.stop()
    const { open, onSample, onBreak, now } = this.#options
    const source = open()
    this.#source = source
    this.#openedAt = now()
    source.addEventListener('sample', ({ data }) => {
      const sample = typeof data === 'string' ? readSample(data) : undefined
      if (sample === undefined || this.#source !== source) return
      this.#heardAt = now()
      onSample(sample)
    })
    source.addEventListener('error', () => {
      if (this.#source === source) onBreak()
    })
  }
}
