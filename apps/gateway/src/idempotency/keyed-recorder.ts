import type { Recorder, RecorderEvents, Recording } from '@tidegate/events'
import type { AnswerFault } from '../answers/answer-fault.ts'
import type { AnswerHead } from '../answers/answer-head.ts'
import { isKept } from './kept.ts'

/** All of it is said, and there is nothing in it to keep. */
const TOLD: AnswerFault = { kind: 'told' }

/** An answer that only says what went wrong is short. */
const LONGEST_FAILURE = 64 * 1024

/** What a {@link KeyedRecorder} tells, and asks. */
export interface KeyedEvents {
  /** The answer settles nothing: by its head, which nobody has been told yet, or by its end. */
  onPassing(): void
  /** It has ended, well or not. */
  onOver(): void
  /** Whether a success says in its body that it is none. Absent: its status holds. */
  isFailure?: ((body: Uint8Array) => boolean) | undefined
}

/**
 * Records the answer to a request with a key. One that settles nothing comes whole to all who read it, and is
 * not kept.
 */
export class KeyedRecorder implements Recorder<AnswerHead> {
  readonly #recorder: Recorder<AnswerHead>
  readonly #events: KeyedEvents
  #settles = true
  #over = false
  /** What may yet turn out to be a failure. */
  #said: Uint8Array[] | undefined
  #length = 0

  constructor(recorder: Recorder<AnswerHead>, events: KeyedEvents) {
    this.#recorder = recorder
    this.#events = events
  }

  get recording(): Recording<AnswerHead> {
    return this.#recorder.recording
  }

  head(head: AnswerHead): void {
    this.#settles = isKept(head.status, headerIn(head.headers, 'x-should-retry'))
    if (!this.#settles) this.#events.onPassing()
    else if (!head.stream && head.status < 300 && this.#events.isFailure) this.#said = []
    this.#recorder.head(head)
  }

  push(chunk: Uint8Array): boolean {
    this.#length += chunk.length
    if (this.#length > LONGEST_FAILURE) this.#said = undefined
    this.#said?.push(chunk)
    return this.#recorder.push(chunk)
  }

  end(): void {
    if (this.#said !== undefined && this.#events.isFailure?.(Buffer.concat(this.#said))) {
      this.#settles = false
      this.#events.onPassing()
    }
    if (this.#settles) {
      this.#recorder.end()
      this.#tellOver()
    } else {
      // Whoever has just found it reads it first: from then on nobody does.
      setImmediate(() => this.fail(TOLD))
    }
  }

  fail(cause: unknown): void {
    this.#recorder.fail(cause)
    this.#tellOver()
  }

  listen(events: RecorderEvents): void {
    this.#recorder.listen(events)
  }

  #tellOver(): void {
    if (this.#over) return
    this.#over = true
    this.#events.onOver()
  }
}

/** The value of a header in a flat list. */
function headerIn(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each === name)
  return at === -1 ? undefined : headers[at + 1]
}
