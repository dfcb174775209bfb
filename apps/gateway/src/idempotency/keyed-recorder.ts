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
  /**
   * The answer settles nothing: by its head, which nobody is told before what this returns has resolved, so
   * that whoever has heard it and asks again begins anew wherever it asks; or by its end. Must not reject.
   */
  onPassing(): Promise<void>
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
  /** What has come while nobody is told yet. */
  #held: (() => void)[] | undefined
  #onDrain: (() => void) | undefined
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
    if (!this.#settles) this.#hold(this.#events.onPassing())
    else if (!head.stream && head.status < 300 && this.#events.isFailure) this.#said = []
    this.#tell(() => this.#recorder.head(head))
  }

  push(chunk: Uint8Array): boolean {
    this.#length += chunk.length
    if (this.#length > LONGEST_FAILURE) this.#said = undefined
    this.#said?.push(chunk)
    if (this.#held === undefined) return this.#recorder.push(chunk)
    this.#held.push(() => this.#recorder.push(chunk))
    return false
  }

  end(): void {
    if (this.#said !== undefined && this.#events.isFailure?.(Buffer.concat(this.#said))) {
      this.#settles = false
      void this.#events.onPassing()
    }
    if (this.#settles) {
      this.#recorder.end()
      this.#tellOver()
    } else {
      // Whoever has just found it reads it first: from then on nobody does.
      this.#tell(() => setImmediate(() => this.fail(TOLD)))
    }
  }

  fail(cause: unknown): void {
    this.#tell(() => {
      this.#recorder.fail(cause)
      this.#tellOver()
    })
  }

  listen(events: RecorderEvents): void {
    this.#onDrain = () => events.onDrain()
    this.#recorder.listen(events)
  }

  #tell(say: () => void): void {
    if (this.#held === undefined) say()
    else this.#held.push(say)
  }

  #hold(until: Promise<void>): void {
    this.#held = []
    void until.then(() => {
      const held = this.#held ?? []
      this.#held = undefined
      for (const say of held) say()
      this.#onDrain?.()
    })
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
