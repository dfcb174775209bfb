import { HoldBack } from '../upstreams/hold-back.ts'
import type { TerminalMarker } from '../upstreams/sse-scanner.ts'
import { SseScanner } from '../upstreams/sse-scanner.ts'
import { isWholeJson } from '../upstreams/whole-json.ts'
import type { AnswerTokens } from '../usage/answer-tokens.ts'

/** A JSON answer up to this size is kept until it is whole: nobody can use half of it anyway. */
export const KEPT_JSON_BYTES = 64 * 1024

const NOTHING = Buffer.alloc(0)

/** What is read in an answer's body on its way, so that no part of it passes for the whole. */
export interface Content {
  /** Takes the next bytes; returns what can go on now. */
  push(chunk: Buffer): Buffer | undefined
  /** The message has ended in good order: the rest of it, or `truncated` if it isn't the whole answer. */
  end(): Buffer | 'truncated'
}

/** A JSON document: passed on when it is whole, or too large to be kept. */
export class JsonContent implements Content {
  #kept: Buffer[] | undefined = []
  #size = 0

  push(chunk: Buffer): Buffer | undefined {
    if (this.#kept === undefined) return chunk
    this.#kept.push(chunk)
    this.#size += chunk.length
    if (this.#size <= KEPT_JSON_BYTES) return undefined
    const kept = this.#kept
    this.#kept = undefined
    return Buffer.concat(kept)
  }

  end(): Buffer | 'truncated' {
    const [first = NOTHING] = this.#kept ?? []
    const body = (this.#kept?.length ?? 0) > 1 ? Buffer.concat(this.#kept ?? []) : first
    return body.length === 0 || isWholeJson(body) ? body : 'truncated'
  }
}

/** A refusal larger than this passes on unread. */
const KEPT_REFUSAL_BYTES = 16 * 1024

/** An answer that says no, kept to be looked at before it is told to anybody. */
export class RefusalContent implements Content {
  #kept: Buffer[] = []
  #size = 0

  push(chunk: Buffer): Buffer | undefined {
    if (this.#size > KEPT_REFUSAL_BYTES) return chunk
    this.#kept.push(chunk)
    this.#size += chunk.length
    return this.#size > KEPT_REFUSAL_BYTES ? this.end() : undefined
  }

  end(): Buffer {
    const body = Buffer.concat(this.#kept)
    this.#kept = []
    return body
  }
}

const TRANSIENT = /overloaded|server_error|api_error|rate_limit|timeout|unavailable/

/** A stream of events: whole events pass on, at once or when enough of them have come. */
export class EventContent implements Content {
  readonly #scanner: SseScanner
  readonly #held: HoldBack | undefined
  readonly #tokens: AnswerTokens | undefined

  constructor(
    marker: TerminalMarker | undefined,
    holdBack: 'off' | 'full' | number,
    tokens?: AnswerTokens,
  ) {
    this.#scanner = new SseScanner(marker)
    this.#held = holdBack === 'off' ? undefined : new HoldBack(holdBack)
    this.#tokens = tokens
  }

  /** Whole events so far, and those of them whose data is no JSON. */
  get events(): number {
    return this.#scanner.events
  }

  get malformed(): number {
    return this.#scanner.malformed
  }

  /** Whether what was let through ends inside an event, so that nothing can be put after it. */
  get midEvent(): boolean {
    return this.#scanner.midEvent
  }

  /** Whether the upstream has said in the stream that it failed. */
  get failed(): boolean {
    return this.#scanner.ending === 'failed'
  }

  /** Whether the stream has said all it has to say, well or not. */
  get over(): boolean {
    return this.#scanner.ending === 'complete' || this.#scanner.ending === 'failed'
  }

  push(chunk: Buffer): Buffer | undefined {
    const wasTorn = this.midEvent
    const events = this.#scanner.push(chunk)
    const out = this.#tokens === undefined ? events : this.#count(events, wasTorn)
    if (out === undefined || this.#held === undefined) return out
    // A finish reason is not the end: the closing marker may be missing because the stream broke.
    return this.#held.push(out, this.#scanner.events, this.over)
  }

  /** Whether `bytes` end the stream with an error that another try may not meet. */
  isTransientError(bytes: Buffer): boolean {
    return this.#scanner.ending === 'failed' && TRANSIENT.test(bytes.toString('latin1'))
  }

  end(): Buffer | 'truncated' {
    const wasTorn = this.midEvent
    const last = this.#scanner.rest()
    const rest = (this.#tokens === undefined ? last : this.#count(last, wasTorn)) ?? NOTHING
    if (this.#scanner.truncated) return 'truncated'
    return this.#held?.push(rest, this.#scanner.events, true) ?? rest
  }

  /** What the client gets of the next events; pieces of one that was torn pass as they are. */
  #count(events: Buffer | undefined, wasTorn: boolean): Buffer | undefined {
    if (events === undefined || this.#tokens === undefined) return events
    if (!wasTorn && !this.midEvent) {
      const out = this.#tokens.events(events)
      return out.length === 0 ? undefined : out
    }
    this.#tokens.push(events)
    return events
  }

  /** What is still kept back of a stream that is over although its connection broke. */
  release(): Buffer {
    return this.#held?.push(NOTHING, 0, true) ?? NOTHING
  }
}
