import { checkWhole } from './errors.ts'
import { LiveRecording } from './live-recording.ts'
import type { Claim, ClaimOptions, RecordingStats, Recordings } from './recording.ts'
import type { RecordingStore, SharedCopy } from './recording-store.ts'
import { Room } from './room.ts'
import { Shelf, type Shelved } from './shelf.ts'

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
  /** Where recordings are shared that are claimed with `shared`, such as `redisRecordings`. */
  readonly shared?: RecordingStore | undefined
  /** Told what readers throw, which harms only themselves, and why the store didn't answer a claim. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * Recordings of this process, and with a store those of others, each of which several can read while it is
 * being made.
 *
 * @throws EventsError `invalid_option`.
 */
export function createRecordings<Head>(options: RecordingsOptions = {}): Recordings<Head> {
  return new NamedRecordings<Head>(options)
}

/** How a recording is shared with other processes. */
interface Sharing<Head> {
  readonly id: string
  readonly copy?: SharedCopy<Head>
}

class NamedRecordings<Head> implements Recordings<Head> {
  readonly #room: Room
  readonly #shelf: Shelf<Head>
  readonly #store: RecordingStore | undefined
  /** Names of which the store is being asked. */
  readonly #asking = new Map<string, Promise<unknown>>()
  #closed = false

  constructor({
    maxBytes = 8 * 1024 ** 2,
    maxTotalBytes = 128 * 1024 ** 2,
    maxRecordings = 10_000,
    now = Date.now,
    shared,
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
    this.#store = shared
  }

  claim(name: string, options: ClaimOptions = {}): Claim<Head> | Promise<Claim<Head>> {
    checkWhole('keepMs', options.keepMs ?? 0, 0)
    const store = options.shared && !this.#closed ? this.#store : undefined
    const known = this.#shelf.find(name)
    // What is shared and complete may have been forgotten by another process meanwhile.
    const isKnown = store === undefined || known?.sharedId === undefined || known.recording.open
    const claim = isKnown && known !== undefined ? claimOf(known, options) : undefined
    if (claim !== undefined) return claim
    return store === undefined ? this.#begin(name, options) : this.#share(store, name, options)
  }

  async forget(name: string): Promise<void> {
    this.#shelf.forget(name)
    await this.#store?.forget(name)
  }

  stats(): RecordingStats {
    const { open, kept } = this.#shelf
    return { open, kept, readers: this.#room.readers, bytes: this.#room.bytes }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#shelf.close()
    await this.#store?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** One call of this process asks the store; those that come meanwhile find what it has found. */
  async #share(store: RecordingStore, name: string, options: ClaimOptions): Promise<Claim<Head>> {
    const asking = this.#asking.get(name)
    if (asking !== undefined) {
      await asking
      return await this.claim(name, options)
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#asking.set(name, promise)
    try {
      return await this.#ask(store, name, options)
    } finally {
      this.#asking.delete(name)
      resolve()
    }
  }

  async #ask(store: RecordingStore, name: string, options: ClaimOptions): Promise<Claim<Head>> {
    const kept = this.#shelf.find(name)
    const held = kept !== undefined && claimOf(kept, options) !== undefined
    const told = await store.claim<Head>(name, options, held).catch((error: unknown) => {
      this.#room.onError(error)
      return undefined
    })
    const known = this.#shelf.find(name)
    if (told === undefined || told.role === 'held') {
      return (known && claimOf(known, options)) ?? this.#begin(name, options)
    }
    if (told.role === 'recorder') {
      this.#shelf.forget(name)
      return this.#begin(name, options, told)
    }
    if (told.role !== 'reader') return told
    // Made here: it is read here, or has just grown too large to be.
    if (known?.sharedId === told.id) return claimOf(known, options) ?? this.#begin(name, options)
    const { fingerprint } = options
    const recording = this.#make(name, { fingerprint }, { id: told.id })
    told.feed(recording)
    return { role: 'reader', recording }
  }

  #begin(name: string, options: ClaimOptions, sharing?: Sharing<Head>): Claim<Head> {
    const { recorder } = this.#make(name, options, sharing)
    return { role: 'recorder', recorder }
  }

  #make(name: string, options: ClaimOptions, sharing?: Sharing<Head>): LiveRecording<Head> {
    const { fingerprint, keepMs = 0, persist = false } = options
    const recording = new LiveRecording<Head>({
      room: this.#room,
      persist,
      copy: sharing?.copy,
      onForgotten: () => this.#shelf.forgetOnly(entry),
      onOver: () => this.#shelf.over(entry),
    })
    const entry = { name, fingerprint, keepMs, persist, recording, sharedId: sharing?.id }
    this.#shelf.add(entry)
    return recording
  }
}

/** What a recording that is known means to who claims its name; nothing, when it begins anew. */
function claimOf<Head>(known: Shelved<Head>, options: ClaimOptions): Claim<Head> | undefined {
  const { fingerprint, recording, keepMs, persist } = known
  if (fingerprint !== options.fingerprint) return { role: 'mismatch' }
  if (recording.joinable) return { role: 'reader', recording }
  return keepMs > 0 || persist ? { role: 'too_large' } : undefined
}
