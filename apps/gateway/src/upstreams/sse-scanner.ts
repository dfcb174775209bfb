import { EventTally } from './event-tally.ts'

/**
 * Reads a stream of Server-Sent Events beside its way to the client, on bytes: where an event ends
 * (WHATWG HTML §9.2), how many have come by, and whether the protocol's terminal marker has.
 *
 * Whole events go on as the very bytes that came in; only an event that is still incomplete waits, so
 * that an error event of ours can never land inside one of the upstream's.
 */

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a

/** An event larger than this is no longer held back whole: it passes in the pieces it came in. */
const MAX_HELD_BYTES = 8 * 1024 * 1024

/**
 * How far a stream has got, by its own protocol. `finished`: all content has come and only the closing
 * marker is missing, which some providers never send; `failed`: the upstream said so itself.
 */
export type StreamEnding = 'open' | 'finished' | 'complete' | 'failed'

/**
 * Says of a run of whole events whether one of them ends the stream. `isOneObject`: it is known already
 * that the run is a single event whose data is a JSON object.
 */
export type TerminalMarker = (events: Buffer, isOneObject: boolean) => StreamEnding

export class SseScanner {
  readonly #marker: TerminalMarker | undefined
  readonly #tally: EventTally
  #held: Buffer[] = []
  #heldBytes = 0
  #lastByte = 0
  #midEvent = false
  /** What the markers said so far. */
  ending: StreamEnding = 'open'

  constructor(marker: TerminalMarker | undefined) {
    this.#marker = marker
    this.#tally = new EventTally(marker !== undefined)
  }

  /** Whole events let through so far; comments and what was never ended are none. */
  get events(): number {
    return this.#tally.events
  }

  /**
   * Those of them that a client can't read, as their data is neither JSON nor `[DONE]`. 0 on an endpoint
   * that no marker is known for, where data may be anything. What is taken for JSON: see EventTally.
   */
  get malformed(): number {
    return this.#tally.malformed
  }

  /** Whether the bytes let through so far end inside an event, so that nothing may be put after them. */
  get midEvent(): boolean {
    return this.#midEvent
  }

  /** Takes the next bytes; returns what can go on now, or `undefined` while an event is incomplete. */
  push(chunk: Buffer): Buffer | undefined {
    if (chunk.length === 0) return undefined
    const end = lastEventEnd(chunk, this.#lastByte)
    this.#lastByte = chunk[chunk.length - 1] as number
    if (end === chunk.length && this.#heldBytes === 0) return this.#release(chunk)
    if (end === 0) return this.#hold(chunk)
    const events =
      this.#heldBytes === 0
        ? chunk.subarray(0, end)
        : Buffer.concat([...this.#held, chunk.subarray(0, end)])
    this.#held = end === chunk.length ? [] : [chunk.subarray(end)]
    this.#heldBytes = chunk.length - end
    return this.#release(events)
  }

  /** The bytes after the last whole event, at the end of the upstream's body. */
  rest(): Buffer | undefined {
    if (this.#heldBytes === 0) return undefined
    const rest = Buffer.concat(this.#held)
    this.#held = []
    this.#heldBytes = 0
    this.#look(rest, false)
    return rest
  }

  /** Whether a body that ends here lacks the closing event which its protocol demands. */
  get truncated(): boolean {
    return this.#marker !== undefined && this.ending === 'open'
  }

  #release(events: Buffer): Buffer {
    this.#midEvent = false
    this.#look(events, this.#tally.add(events))
    return events
  }

  #hold(chunk: Buffer): Buffer | undefined {
    if (this.#heldBytes === 0 && isWholeComment(chunk)) return chunk
    this.#held.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes <= MAX_HELD_BYTES) return undefined
    this.#midEvent = true
    this.#tally.tear()
    return this.rest()
  }

  #look(events: Buffer, isOneObject: boolean): void {
    if (this.#marker === undefined || this.ending === 'complete' || this.ending === 'failed') return
    const seen = this.#marker(events, isOneObject)
    if (seen !== 'open') this.ending = seen
  }
}

/**
 * Where the last whole event in `chunk` ends, 0 if none does. An event ends with an empty line, and a
 * line with LF, CR LF or CR; `before` is the byte that came before the chunk.
 */
function lastEventEnd(chunk: Buffer, before: number): number {
  const size = chunk.length
  const last = chunk[size - 1] as number
  const secondLast = size > 1 ? (chunk[size - 2] as number) : before
  if (last === LF && secondLast === LF) return size
  if (last === CR && (secondLast === LF || secondLast === CR)) return size
  const blank = Math.max(
    chunk.lastIndexOf('\n\n', -1, 'latin1'),
    chunk.lastIndexOf('\n\r', -1, 'latin1'),
    chunk.lastIndexOf('\r\r', -1, 'latin1'),
  )
  if (blank >= 0) return pastLineEnd(chunk, blank + 1)
  const first = chunk[0] as number
  if ((before === LF && (first === LF || first === CR)) || (before === CR && first === CR)) {
    return pastLineEnd(chunk, 0)
  }
  return 0
}

/** The index after the line end that begins at `at`, counting CR LF as one. */
function pastLineEnd(chunk: Buffer, at: number): number {
  return chunk[at] === CR && chunk[at + 1] === LF ? at + 2 : at + 1
}

/** A heartbeat: one comment line without the empty line after it, which nobody should wait for. */
function isWholeComment(chunk: Buffer): boolean {
  const last = chunk[chunk.length - 1]
  if (chunk[0] !== COLON || (last !== LF && last !== CR)) return false
  const lineEnd = chunk.indexOf(LF)
  return lineEnd === -1 || lineEnd === chunk.length - 1
}
