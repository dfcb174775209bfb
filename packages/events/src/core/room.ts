/** Why {@link Room} is bounded. */
export interface RoomOptions {
  readonly maxBytes: number
  readonly maxTotalBytes: number
  readonly now: () => number
  readonly onError: (error: unknown) => void
  /** Frees what is kept without being read, oldest first, until the room has what it wants; or can't. */
  readonly onFull: () => void
}

/** What a recording may still hold when all the room is taken: enough for its readers to differ in pace. */
const WINDOW_BYTES = 256 * 1024

/** The memory that all recordings of a process share. */
export class Room {
  readonly #options: RoomOptions
  readonly now: () => number
  readonly onError: (error: unknown) => void
  bytes = 0
  readers = 0

  constructor(options: RoomOptions) {
    this.#options = options
    this.now = options.now
    this.onError = (error) => {
      try {
        options.onError(error)
      } catch {
        // Who listens to faults must not cause more of them, in the midst of others' calls.
      }
    }
  }

  get full(): boolean {
    return this.bytes > this.#options.maxTotalBytes
  }

  /** Takes room, and says how many bytes the taker may hold in all. */
  take(bytes: number): number {
    this.bytes += bytes
    if (this.full) this.#options.onFull()
    const { maxBytes } = this.#options
    return this.full ? Math.min(maxBytes, WINDOW_BYTES) : maxBytes
  }

  release(bytes: number): void {
    this.bytes -= bytes
  }
}
