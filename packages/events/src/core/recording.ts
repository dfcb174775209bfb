/** How a recording stands. `complete` is said only by the recorder: what merely stops is `failed`. */
export type RecordingState = 'open' | 'complete' | 'failed'

/** Why a recording has no good end. `lost`: its recorder is gone; `too_large`, `lagging`: see {@link Recording}. */
export interface RecordingFault {
  readonly code: 'failed' | 'lost' | 'abandoned' | 'too_large' | 'lagging' | 'closed'
  /** What the recorder gave to `fail()`: its own value in its process, the JSON of it in others. */
  readonly cause: unknown
}

/**
 * Takes a recording from its beginning: the head, the bytes, and then the end or the fault, after which
 * nothing is called. Called synchronously, from inside the recorder's calls or the reader's own `resume()`,
 * but never before `follow` has returned. What it throws is told to `onError`, and it counts as having left.
 */
export interface RecordingReader<Head> {
  onHead(head: Head): void
  /**
   * Takes bytes that others have, too: they must not be changed. Returns false when no more can be taken
   * for now: `resume()` asks for the rest. The end may follow without it, once there are no more bytes.
   */
  onData(chunk: Uint8Array): boolean
  onEnd(): void
  /** There will be no good end. All bytes from before it came first, unless the reader is `lagging`. */
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
  /** Why it has no good end, once it has `failed`. */
  readonly fault: RecordingFault | undefined
  /** Whether a reader would still get it from the first byte. */
  readonly joinable: boolean
  readonly head: Head | undefined
  /** Bytes recorded so far, the head aside. */
  readonly bytes: number
  /** When it began, by the clock of its making: milliseconds since the epoch. */
  readonly begunAt: number
  /** When it ended, well or not; `undefined` while it is open. */
  readonly endedAt: number | undefined
  /**
   * Reads it. Nothing is called before this has returned.
   *
   * @throws EventsError `not_joinable`.
   */
  follow(reader: RecordingReader<Head>): Following
  /** All of its bytes, once it is complete and was kept whole. */
  whole(): Uint8Array | undefined
}

/**
 * Writes a recording, and has to end it, well or not: until then it takes room. After its end, also one by
 * abandonment, nothing here does anything: what a source still delivers may be pushed without asking.
 */
export interface Recorder<Head> {
  readonly recording: Recording<Head>
  /**
   * Once, before any byte.
   *
   * @throws EventsError `out_of_order` when there is a head already.
   */
  head(head: Head): void
  /**
   * Adds bytes, which are kept as they are and must not be changed. False: there are readers and none takes
   * more, so wait for `onDrain`. Without readers it never waits.
   *
   * @throws EventsError `out_of_order` before the head.
   */
  push(chunk: Uint8Array): boolean
  /**
   * The recording is whole.
   *
   * @throws EventsError `out_of_order` before the head.
   */
  end(): void
  /** There will be no good end. */
  fail(cause: unknown): void
  /** Replaces who is told. */
  listen(events: RecorderEvents): void
}

/** What a recorder hears, synchronously. Must not throw. */
export interface RecorderEvents {
  /** A reader takes more again, or there is none any more to wait for. */
  onDrain(): void
  /**
   * Nobody wants it any more: the last reader, here and elsewhere, has left, or nobody had come when it grew
   * too large to be joined. Told once, at once to a listener that comes after it. The recording has failed
   * with `abandoned`. Never told of a claim with `persist`.
   */
  onAbandoned(): void
}

/** What comes of asking for a recording by name. */
export type Claim<Head> =
  | { readonly role: 'recorder'; readonly recorder: Recorder<Head> }
  | { readonly role: 'reader'; readonly recording: Recording<Head> }
  /** It is of another request than the asker's, by their fingerprints. */
  | { readonly role: 'mismatch' }
  /** There is or was one that grew too large to be joined. Only of claims with `persist` or `keepMs`; others begin anew. */
  | { readonly role: 'too_large' }

export interface ClaimOptions {
  /** What the name stands for; two claims of one name with different fingerprints are a mismatch. */
  readonly fingerprint?: string | undefined
  /** Milliseconds for which a complete recording can be read after its end. Default 0: while it is open. */
  readonly keepMs?: number | undefined
  /** Whether it goes on without readers: it is never abandoned. Default false. */
  readonly persist?: boolean | undefined
  /** Whether processes share it, where the recordings have a store for that. Default false. */
  readonly shared?: boolean | undefined
}

/** The recordings of a process, by name, and through a store those of others. */
export interface Recordings<Head> extends AsyncDisposable {
  /**
   * Reads the recording of this name, or begins it: the first to ask is its recorder, and its `keepMs` and
   * `persist` hold. Answers at once (no promise) unless it is shared and isn't being made here. A failed or
   * abandoned recording is forgotten at once, so that the next to ask begins anew. When the store is away,
   * or this is closed, it answers as if it weren't shared. With `maxRecordings` open ones, it gives a recorder
   * whose recording has no name: nobody else finds it.
   */
  claim(name: string, options?: ClaimOptions): Claim<Head> | Promise<Claim<Head>>
  /**
   * Forgets a recording, so that the next to ask begins anew. Who reads it goes on. Rejects when the store is
   * away: then only this process has forgotten it.
   */
  forget(name: string): Promise<void>
  stats(): RecordingStats
  /** Fails what is open with `closed`, and gives what is being shared a moment to get to the store. */
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
