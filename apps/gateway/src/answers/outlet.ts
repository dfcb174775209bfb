import type { Socket } from 'node:net'
import type { BrokenAnswer } from './answer-fault.ts'
import type { AnswerHead } from './answer-head.ts'

/**
 * Where an answer goes: the part of Node's response that a call and its delivery use. `ServerResponse` is
 * one as it is; a recording's is another, from which several clients are served.
 */
export interface Outlet {
  readonly destroyed: boolean
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly socket: Socket | null
  writeHead(status: number, message: string | undefined, headers: string[]): unknown
  flushHeaders(): void
  write(bytes: Uint8Array | string): boolean
  end(bytes?: Uint8Array | string): unknown
  destroy(): unknown
  once(event: 'drain', listener: () => void): unknown
  prependListener(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown

  /** What only a client's own connection can be told: absent on a recording. */
  readonly req?: { readonly httpVersionMinor: number }
  writeProcessing?(): void
  writeEarlyHints?(hints: Record<string, string | string[]>): void
  addTrailers?(trailers: [string, string][]): void

  /** Set where the answer is for several clients, each of whom is told of it in its own words. */
  readonly sink?: AnswerSink
}

/** Takes what several clients may have of an answer, beside its bytes. */
export interface AnswerSink {
  /** In place of `writeHead()`. */
  begin(head: AnswerHead): void
  /** In place of `end()`. `failed`: the upstream has said in the answer itself that it failed. */
  end(last: Uint8Array | undefined, failed: boolean): void
  /** The answer has begun and can't be completed. */
  break(fault: BrokenAnswer): void
}
