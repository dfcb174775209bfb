/** How a recording stands. `complete` is said only by the recorder: what merely stops is `failed`. */
export type RecordingState = 'open' | 'complete' | 'failed'

/** Why a recording has no good end. `lost`: its recorder is gone; `too_large`, `lagging`: see {@link Recording}. */
export interface RecordingFault {
  readonly code: 'failed' | 'lost' | 'abandoned' | 'too_large' | 'lagging' | 'closed'
  /** What the recorder gave to `fail()`: its own value in its process, the JSON of it in others. */
  readonly cause: unknown
}

/** Takes a recording from its beginning. Called synchronously; must not throw. */
export interface RecordingReader<Head> {
  onHead(head: Head): void
  /** Returns false when no more can be taken for now: `resume()` asks for the rest. */
  onData(chunk: Uint8Array): boolean
  onEnd(): void
  onFail(fault: RecordingFault): void
}

/** A reader's place. */
export interface Following {
  /** More can be taken again. */
  resume(): void
  /** The reader has left; nothing is called any more. When it was the last, the recorder hears of it. */
  leave(): void
}

/**
 * A head and the bytes behind it, kept from the first to the last, so that several can have them: each
 * from its beginning, live, at its own pace. The fastest sets the pace of the source.
 *
 * It is kept whole up to a size. What is longer is passed on live: nobody can join any more (`joinable`), and
 * a reader that lags behind the fastest by more than that size fails with `lagging`; the others go on.
 */
export interface Recording<Head> {
  readonly state: RecordingState
  /** Whether a reader would still get it from the first byte. */
  readonly joinable: boolean
  readonly head: Head | undefined
  /** Bytes recorded so far, the head aside. */
  readonly bytes: number
  /** When it began, and ended, by the clock of its making: milliseconds since the epoch. */
  readonly begunAt: number
  /** Reads it. Throws if it isn't joinable. */
  follow(reader: RecordingReader<Head>): Following
  /** All of its bytes, once it is complete and was kept whole. */
  whole(): Uint8Array | undefined
}

/** Writes a recording. */
export interface Recorder<Head> {
  readonly recording: Recording<Head>
  /** Once, before any byte. */
  head(head: Head): void
  /** Adds bytes, which are kept as they are and must not be changed. False: wait for `onDrain`. */
  push(chunk: Uint8Array): boolean
  /** The recording is whole. */
  end(): void
  /** There will be no good end. */
  fail(cause: unknown): void
  /** `onDrain`: a reader takes more again. `onAbandoned`: the last reader, here and elsewhere, has left. */
  listen(events: { onDrain(): void; onAbandoned(): void }): void
}

/** What comes of asking for a recording by name. */
export type Claim<Head> =
  | { readonly role: 'recorder'; readonly recorder: Recorder<Head> }
  | { readonly role: 'reader'; readonly recording: Recording<Head> }
  /** It is of another request than the asker's, by their fingerprints. */
  | { readonly role: 'mismatch' }

export interface ClaimOptions {
  /** What the name stands for; two claims of one name with different fingerprints are a mismatch. */
  readonly fingerprint?: string | undefined
  /** Milliseconds for which a complete recording can be read after its end. Default 0: while it is open. */
  readonly keepMs?: number | undefined
  /** Whether processes share it, where the recordings have a store for that. Default false. */
  readonly shared?: boolean | undefined
}

/** The recordings of a process, by name, and through a store those of others. */
export interface Recordings<Head> extends AsyncDisposable {
  /**
   * Reads the recording of this name, or begins it: the first to ask is its recorder. Answers at once
   * (no promise) unless it is shared and isn't known here. A failed recording is forgotten at once, so that
   * the next to ask begins anew. When the store is away, it answers as if it weren't shared.
   */
  claim(name: string, options?: ClaimOptions): Claim<Head> | Promise<Claim<Head>>
  /** Forgets a recording, so that the next to ask begins anew. Who reads it goes on. */
  forget(name: string): Promise<void>
  stats(): RecordingStats
  close(): Promise<void>
}

export interface RecordingStats {
  /** Being recorded here. */
  readonly open: number
  /** Complete and kept. */
  readonly kept: number
  readonly readers: number
  readonly bytes: number
}
