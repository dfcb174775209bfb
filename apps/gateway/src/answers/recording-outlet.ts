import type { Recorder } from '@tidegate/events'
import type { AnswerFault, BrokenAnswer } from './answer-fault.ts'
import type { AnswerHead } from './answer-head.ts'
import type { AnswerSink, Outlet } from './outlet.ts'

/** Where a call writes an answer that several clients may have: into a recording, from which all are served. */
export class RecordingOutlet implements Outlet {
  readonly sink: AnswerSink
  readonly socket = null
  readonly #recorder: Recorder<AnswerHead>
  readonly #onOver: () => void
  #onDrain: (() => void) | undefined
  #onClose: (() => void) | undefined
  #isOver = false
  headersSent = false
  writableEnded = false
  destroyed = false

  /** `onOver`: called once, when nothing more will be recorded, for whatever reason. */
  constructor(recorder: Recorder<AnswerHead>, onOver: () => void) {
    this.#recorder = recorder
    this.#onOver = onOver
    this.sink = {
      begin: (head) => this.#begin(head),
      end: (last, failed) => this.#end(last, failed),
      break: (fault) => this.#fail(fault),
    }
    recorder.listen({ onDrain: () => this.#drained(), onAbandoned: () => this.#close() })
  }

  /** The call has failed before it had an answer, or in a way that nobody foresaw. */
  refuse(fault: AnswerFault): void {
    this.#fail(fault)
  }

  write(bytes: Uint8Array | string): boolean {
    return this.#recorder.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  }

  end(bytes?: Uint8Array | string): void {
    this.#end(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, false)
  }

  destroy(): void {
    this.#fail(BROKEN)
    this.#close()
  }

  /** What a head is, `sink` is told. */
  writeHead(): void {}

  /** Whoever reads has the head already. */
  flushHeaders(): void {}

  once(_event: 'drain', listener: () => void): void {
    this.#onDrain = listener
  }

  prependListener(_event: 'close', listener: () => void): void {
    this.#onClose = listener
  }

  off(_event: 'close', _listener: () => void): void {
    this.#onClose = undefined
  }

  #begin(head: AnswerHead): void {
    this.headersSent = true
    this.#recorder.head(head)
  }

  #end(last: Uint8Array | undefined, failed: boolean): void {
    if (this.writableEnded) return
    if (last !== undefined) this.#recorder.push(last)
    this.writableEnded = true
    if (failed) this.#recorder.fail({ kind: 'told' } satisfies AnswerFault)
    else this.#recorder.end()
    this.#over()
  }

  #fail(fault: AnswerFault): void {
    if (this.writableEnded) return
    this.writableEnded = true
    this.#recorder.fail(fault)
    this.#over()
  }

  #drained(): void {
    const listener = this.#onDrain
    this.#onDrain = undefined
    listener?.()
  }

  /** The last who wanted it has left: the call hears it as it would of its only client. */
  #close(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.#onClose?.()
    this.#over()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onOver()
  }
}

const BROKEN: BrokenAnswer = {
  kind: 'broken',
  code: 'stream_interrupted',
  upstream: undefined,
  tellable: false,
  events: 0,
}
