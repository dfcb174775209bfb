import type { Recorder, RecorderEvents, Recording } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'
import { isKept } from './kept.ts'

/**
 * Records the answer to a request with a key. When its head says that it settles nothing, `onPassing` is
 * called before the head is told: who reads it goes on, and whoever asks from then on begins anew.
 */
export class KeyedRecorder implements Recorder<AnswerHead> {
  readonly #recorder: Recorder<AnswerHead>
  readonly #onPassing: () => void

  constructor(recorder: Recorder<AnswerHead>, onPassing: () => void) {
    this.#recorder = recorder
    this.#onPassing = onPassing
  }

  get recording(): Recording<AnswerHead> {
    return this.#recorder.recording
  }

  head(head: AnswerHead): void {
    if (!isKept(head.status, headerIn(head.headers, 'x-should-retry'))) this.#onPassing()
    this.#recorder.head(head)
  }

  push(chunk: Uint8Array): boolean {
    return this.#recorder.push(chunk)
  }

  end(): void {
    this.#recorder.end()
  }

  fail(cause: unknown): void {
    this.#recorder.fail(cause)
  }

  listen(events: RecorderEvents): void {
    this.#recorder.listen(events)
  }
}

/** The value of a header in a flat list. */
function headerIn(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each === name)
  return at === -1 ? undefined : headers[at + 1]
}
