import { EventsError } from './errors.ts'
import { Place, type Track } from './place.ts'
import type {
  Following,
  Recorder,
  RecorderEvents,
  Recording,
  RecordingFault,
  RecordingReader,
  RecordingState,
} from './recording.ts'
import type { CopySource, ReplicaTarget, SharedCopy } from './recording-store.ts'
import type { Room } from './room.ts'

/** What a chunk takes beside its bytes, about. */
const CHUNK_COST = 128

const LAGGING: RecordingFault = { code: 'lagging', cause: undefined }

/** How a {@link LiveRecording} is made. */
export interface LiveOptions<Head> {
  readonly room: Room
  readonly persist: boolean
  readonly copy?: SharedCopy<Head> | undefined
  /** Told when another process has forgotten it. */
  onForgotten?(): void
  /** Told when it is over, before the readers are: a new one may begin under its name. */
  onOver(): void
}

/** A recording and its recorder, in one process. */
export class LiveRecording<Head>
  implements Recording<Head>, Track<Head>, CopySource<Head>, ReplicaTarget<Head>
{
  readonly begunAt: number
  readonly recorder: Recorder<Head>
  readonly #options: LiveOptions<Head>
  readonly #room: Room
  readonly #places = new Set<Place<Head>>()
  #events: RecorderEvents | undefined
  #state: RecordingState = 'open'
  #head: Head | undefined
  #fault: RecordingFault | undefined
  #endedAt: number | undefined
  #chunks: Uint8Array[] = []
  /** How many chunks before `#chunks` were dropped. */
  #dropped = 0
  #bytes = 0
  /** Bytes of `#chunks` that `#room` counts. */
  #held = 0
  #kept = false
  #blocked = false
  #broadcasting = false
  #stale = false

  constructor(options: LiveOptions<Head>) {
    this.#options = options
    this.#room = options.room
    this.begunAt = options.room.now()
    this.recorder = {
      recording: this,
      head: (head) => this.#begin(head),
      push: (chunk) => this.#push(chunk),
      end: () => this.#complete(),
      fail: (cause) => this.close({ code: 'failed', cause }),
      listen: (events) => this.#listen(events),
    }
    options.copy?.begin(this)
  }

  get state(): RecordingState {
    return this.#state
  }

  get joinable(): boolean {
    return this.#state !== 'failed' && this.intact
  }

  get intact(): boolean {
    return this.#dropped === 0
  }

  get head(): Head | undefined {
    return this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  get endedAt(): number | undefined {
    return this.#endedAt
  }

  get fault(): RecordingFault | undefined {
    return this.#fault
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  get unread(): boolean {
    return this.#places.size === 0
  }

  get length(): number {
    return this.#dropped + this.#chunks.length
  }

  follow(reader: RecordingReader<Head>): Following {
    if (!this.joinable) {
      const why =
        this.#fault === undefined ? 'grew too large to be kept' : `has ${this.#fault.code}`
      throw new EventsError('not_joinable', `The recording can't be joined: it ${why}. Begin anew.`)
    }
    const place = new Place(this, reader)
    this.#places.add(place)
    this.#room.readers += 1
    queueMicrotask(() => place.start())
    return place
  }

  whole(): Uint8Array | undefined {
    if (this.#state !== 'complete' || this.#dropped > 0) return undefined
    const [first] = this.#chunks
    if (first !== undefined && this.#chunks.length === 1) return first
    const bytes = Buffer.concat(this.#chunks)
    if (this.#places.size > 0 || this.#options.copy?.busy) return bytes
    // Nobody is in the midst of the chunks: they needn't be there twice.
    if (this.#held > 0) this.#release((this.#chunks.length - 1) * CHUNK_COST)
    this.#chunks = [bytes]
    return bytes
  }

  /** Keeps or forgets it under its name: what is kept counts as taking room, also without readers. */
  keep(kept: boolean): void {
    this.#kept = kept
    this.#settle()
  }

  abandon(): void {
    if (this.#state !== 'open' || this.#places.size > 0 || this.#options.persist) return
    const events = this.#events
    this.close({ code: 'abandoned', cause: undefined })
    events?.onAbandoned()
  }

  copied(): void {
    this.#settle()
  }

  forgotten(): void {
    this.#options.onForgotten?.()
  }

  /** Ends it without a good end. */
  close(fault: RecordingFault): void {
    if (this.#state !== 'open') return
    this.#fault = fault
    this.#over('failed')
  }

  chunk(at: number): Uint8Array {
    const chunk = this.#chunks[at - this.#dropped]
    if (chunk === undefined) throw new RangeError('A reader is beyond the recording.')
    return chunk
  }

  caughtUp(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.#events?.onDrain()
  }

  left(place: Place<Head>): void {
    this.#places.delete(place)
    this.#room.readers -= 1
    if (this.#places.size > 0) return
    this.#abandonIfAlone()
    if (this.#state === 'open') this.caughtUp()
    else this.#settle()
  }

  threw(error: unknown): void {
    this.#room.onError(error)
  }

  #begin(head: Head): void {
    if (this.#state !== 'open') return
    if (this.#head !== undefined) {
      throw new EventsError('out_of_order', 'The recording has a head already.')
    }
    this.#head = head
    this.#broadcast()
    this.#options.copy?.changed()
  }

  #push(chunk: Uint8Array): boolean {
    if (this.#state !== 'open') return true
    this.#checkHead()
    if (chunk.length > 0) {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      this.#held += chunk.length + CHUNK_COST
      const limit = this.#room.take(chunk.length + CHUNK_COST)
      this.#broadcast()
      if (this.#held > limit || this.#dropped > 0) this.#trim(limit)
      this.#options.copy?.changed()
    }
    this.#blocked = this.#state === 'open' && this.#places.size > 0 && !this.#someoneTakes()
    return !this.#blocked
  }

  #complete(): void {
    if (this.#state !== 'open') return
    this.#checkHead()
    this.#over('complete')
  }

  #checkHead(): void {
    if (this.#head !== undefined) return
    throw new EventsError('out_of_order', 'The recording has no head yet: give one first.')
  }

  #listen(events: RecorderEvents): void {
    if (this.#state === 'open') this.#events = events
    if (this.#fault?.code === 'abandoned') events.onAbandoned()
  }

  #someoneTakes(): boolean {
    for (const place of this.#places) if (place.takes) return true
    return false
  }

  /** Gives every reader what it takes. What is recorded meanwhile, by a reader's doing, comes after it. */
  #broadcast(): void {
    this.#stale = true
    if (this.#broadcasting) return
    this.#broadcasting = true
    while (this.#stale) {
      this.#stale = false
      for (const place of this.#places) place.advance()
    }
    this.#broadcasting = false
  }

  /** Drops what all readers have had, and the readers that want too much kept for them. */
  #trim(limit: number): void {
    let lowest = this.length
    for (const place of this.#places) {
      const behind = (this.length - place.at) * CHUNK_COST
      if (this.#bytes - place.bytes + behind > limit) place.cut(LAGGING)
      else lowest = Math.min(lowest, place.at)
    }
    const gone = this.#chunks.splice(0, lowest - this.#dropped)
    this.#dropped += gone.length
    this.#release(gone.reduce((sum, { length }) => sum + length + CHUNK_COST, 0))
    this.#abandonIfAlone()
  }

  #abandonIfAlone(): void {
    if (this.#state !== 'open' || this.#places.size > 0 || this.#options.persist) return
    if (!this.#options.copy?.alone()) this.abandon()
  }

  #over(state: 'complete' | 'failed'): void {
    this.#state = state
    this.#endedAt = this.#room.now()
    this.#options.onOver()
    this.#broadcast()
    this.#options.copy?.changed()
    // Whoever made it isn't kept along with it.
    this.#events = undefined
    this.#settle()
  }

  /** What nobody reads and no name keeps takes no room: it is the business of who holds it. */
  #settle(): void {
    if (this.#state === 'open' || this.#places.size > 0 || this.#options.copy?.busy) return
    // Many small chunks weigh more than their bytes.
    if (this.#kept) this.whole()
    else this.#release(this.#held)
    if (this.#state === 'failed') this.#chunks = []
  }

  #release(bytes: number): void {
    this.#held -= bytes
    this.#room.release(bytes)
  }
}
