import { newSpanId } from '../trace-context/ids.ts'
import { SAMPLED, writeTraceparent } from '../trace-context/trace-context.ts'
import type { SpanHandle } from './span.ts'

/** A span that nobody records: it carries the context on, and computes an id only if someone asks. */
export class QuietSpan implements SpanHandle {
  readonly traceId: string
  readonly tracestate: string | undefined
  readonly #flags: number
  /** Whether all of the trace in here goes by one id: that of a caller that does record. */
  readonly #isTransparent: boolean
  #spanId: string | undefined

  constructor(
    traceId: string,
    flags: number,
    tracestate: string | undefined,
    callersSpan?: string,
  ) {
    this.traceId = traceId
    this.tracestate = tracestate
    this.#flags = flags
    this.#isTransparent = callersSpan !== undefined
    this.#spanId = callersSpan
  }

  get spanId(): string {
    this.#spanId ??= newSpanId()
    return this.#spanId
  }

  get sampled(): boolean {
    return false
  }

  /** The sampled flag tells others that a caller records, not that we do. */
  get traceparent(): string {
    const { traceId, spanId } = this
    const flags = this.#isTransparent ? this.#flags : this.#flags & ~SAMPLED
    return writeTraceparent({ traceId, spanId, flags })
  }

  child(): SpanHandle {
    if (this.#isTransparent) return this
    return new QuietSpan(this.traceId, this.#flags, this.tracestate)
  }

  set(): void {}
  rename(): void {}
  event(): void {}
  end(): void {}
}
