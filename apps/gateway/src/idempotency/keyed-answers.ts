import { createRecordings, type Recordings } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'
import { KeyedRecorder } from './keyed-recorder.ts'

/** How many requests are remembered by one process: a key outlives its answer by far. */
const MOST_REMEMBERED = 100_000

/** What a request with a key finds: one that is to be answered, the answer, or why there is none for it. */
export type KeyedClaim =
  | { readonly role: 'recorder'; readonly recorder: KeyedRecorder }
  | Exclude<Awaited<ReturnType<Recordings<AnswerHead>['claim']>>, { readonly role: 'recorder' }>

/** The answers to requests with a key, those that are kept and those that are being made. */
export class KeyedAnswers {
  readonly #recordings: Recordings<AnswerHead>
  #making = 0
  #onIdle: (() => void)[] = []

  constructor() {
    this.#recordings = createRecordings<AnswerHead>({ maxRecordings: MOST_REMEMBERED })
  }

  /** Finds what has the name, and keeps it for `windowMs` if it is new and settles its request. */
  async claim(name: string, fingerprint: string, windowMs: number): Promise<KeyedClaim> {
    const keep = { shared: true, persist: true, keepMs: windowMs, fingerprint }
    const claim = await this.#recordings.claim(name, keep)
    if (claim.role !== 'recorder') return claim
    this.#making += 1
    const recorder = new KeyedRecorder(claim.recorder, {
      onPassing: () => void this.#recordings.forget(name),
      onOver: () => this.#over(),
    })
    return { role: 'recorder', recorder }
  }

  /**
   * Resolves when no answer is being made: some of their clients have left, and will ask for them elsewhere.
   */
  idle(): Promise<void> {
    if (this.#making === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  close(): Promise<void> {
    return this.#recordings.close()
  }

  #over(): void {
    this.#making -= 1
    if (this.#making > 0) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}
