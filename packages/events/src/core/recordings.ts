import { checkWhole } from './errors.ts'
import { LiveRecording } from './live-recording.ts'
import type { Claim, ClaimOptions, RecordingStats, Recordings } from './recording.ts'
import { Room } from './room.ts'
import { Shelf } from './shelf.ts'

/** How {@link createRecordings} makes them. */
export interface RecordingsOptions {
  /**
   * How large a recording may grow and still be joined; beyond it, also how far a reader may lag. Each chunk
   * counts as 128 bytes more. Default 8 MiB.
   */
  readonly maxBytes?: number | undefined
  /**
   * The memory of all of them. When it is taken, complete ones are forgotten, oldest first, and then open
   * ones aren't kept beyond 256 KiB each. Default 128 MiB.
   */
  readonly maxTotalBytes?: number | undefined
  /** How many may have a name, open and complete. The oldest complete ones are forgotten first. Default 10,000. */
  readonly maxRecordings?: number | undefined
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: (() => number) | undefined
  /** Told what readers throw, which harms only themselves. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * Recordings of this process, each of which several can read while it is being made.
 *
 * @throws EventsError `invalid_option`.
 */
export function createRecordings<Head>(options: RecordingsOptions = {}): Recordings<Head> {
  return new LocalRecordings<Head>(options)
}

class LocalRecordings<Head> implements Recordings<Head> {
  readonly #room: Room
  readonly #shelf: Shelf<Head>

  constructor({
    maxBytes = 8 * 1024 ** 2,
    maxTotalBytes = 128 * 1024 ** 2,
    maxRecordings = 10_000,
    now = Date.now,
    onError = () => undefined,
  }: RecordingsOptions) {
    this.#room = new Room({
      maxBytes: checkWhole('maxBytes', maxBytes, 1),
      maxTotalBytes: checkWhole('maxTotalBytes', maxTotalBytes, 1),
      now,
      onError,
      onFull: () => this.#shelf.evict(() => this.#room.full),
    })
    this.#shelf = new Shelf(checkWhole('maxRecordings', maxRecordings, 1), now)
  }

  claim(name: string, options: ClaimOptions = {}): Claim<Head> {
    const { fingerprint, keepMs = 0, persist = false } = options
    const known = this.#shelf.find(name)
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) return { role: 'mismatch' }
      if (known.recording.joinable) return { role: 'reader', recording: known.recording }
      if (known.keepMs > 0 || known.persist) return { role: 'too_large' }
    }
    checkWhole('keepMs', keepMs, 0)
    const recording: LiveRecording<Head> = new LiveRecording<Head>({
      room: this.#room,
      persist,
      onOver: () => this.#shelf.over(entry),
    })
    const entry = { name, fingerprint, keepMs, persist, recording }
    this.#shelf.add(entry)
    return { role: 'recorder', recorder: recording.recorder }
  }

  async forget(name: string): Promise<void> {
    this.#shelf.forget(name)
  }

  stats(): RecordingStats {
    const { open, kept } = this.#shelf
    return { open, kept, readers: this.#room.readers, bytes: this.#room.bytes }
  }

  async close(): Promise<void> {
    this.#shelf.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
