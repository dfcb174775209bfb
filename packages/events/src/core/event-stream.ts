import { checkWhole, EventsError } from './errors.ts'
import type { EventLog, LogEntry } from './log.ts'
import { LogFeed } from './log-feed.ts'
import { heartbeatText, retryText, type ServerSentEvent } from './server-sent-event.ts'

/** How a log is served as Server-Sent Events. */
export interface EventStreamOptions {
  /** Where it begins for who comes without an id: an id, `start` (the oldest that is there) or `end`, the default. */
  readonly after?: string | undefined
  /**
   * What is told of an entry, `undefined` for nothing; an entry of which it throws is left out, and told to
   * `onError`. Default: its bytes as text. The name `gap` is taken.
   */
  readonly toEvent?: ((entry: LogEntry) => ServerSentEvent | undefined) | undefined
  /** Milliseconds without an event after which a comment is sent. Default 15,000. */
  readonly heartbeatMs?: number | undefined
  /** Milliseconds that a reader waits before it comes back. Default 2,000. */
  readonly retryMs?: number | undefined
  /** Ends the stream well, as when the server shuts down: readers come back, spread over `retryMs`. */
  readonly signal?: AbortSignal | undefined
  /** Told what the log or `toEvent` threw; a reader never is. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The headers of a response with such a stream: no cache keeps it, and no proxy holds it back. */
export const eventStreamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
} as const

/** The longest that a timer can wait. */
const MAX_MS = 2 ** 31 - 1
/** A reader that takes nothing for so many heartbeats is let go. */
const PATIENCE = 4

/**
 * A log as a stream of Server-Sent Events, from after `lastEventId` on when that is given. An id that isn't one
 * counts as a gap. What isn't read is not read from the log either: there is one piece of some 64 KiB at most.
 *
 * @throws EventsError `invalid_option`, or `invalid_id` when `after` is none.
 */
export function openEventStream(
  log: EventLog,
  lastEventId: string | undefined,
  options: EventStreamOptions = {},
): ReadableStream<Uint8Array> {
  return new ReadableStream(new EventStream(new LogFeed(log, lastEventId, options), options))
}

class EventStream {
  readonly #feed: LogFeed
  readonly #heartbeatMs: number
  readonly #retryMs: number
  readonly #signal: AbortSignal | undefined
  readonly #onError: (error: unknown) => void
  readonly #encoder = new TextEncoder()
  readonly #onAbort = () => this.#end()
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #timer: NodeJS.Timeout | undefined
  /** Heartbeats for which there was no room. */
  #stalled = 0

  constructor(feed: LogFeed, options: EventStreamOptions) {
    const { heartbeatMs = 15_000, retryMs = 2_000, signal, onError = () => undefined } = options
    this.#feed = feed
    this.#heartbeatMs = checkMs('heartbeatMs', heartbeatMs, 1)
    this.#retryMs = checkMs('retryMs', retryMs, 0)
    this.#signal = signal
    this.#onError = onError
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller
    this.#send(retryText(this.#retryMs))
    if (this.#signal?.aborted) {
      this.#end()
      return
    }
    this.#signal?.addEventListener('abort', this.#onAbort)
    this.#timer = setInterval(() => this.#beat(), this.#heartbeatMs).unref()
  }

  async pull(): Promise<void> {
    try {
      const text = await this.#feed.next()
      if (text === undefined) this.#end()
      else this.#send(text)
    } catch (error) {
      // Whoever reads comes back, and is told nothing of what went wrong.
      this.#end()
      this.#onError(error)
    }
  }

  cancel(): void {
    this.#release()
  }

  #send(text: string): void {
    if (this.#controller === undefined) return
    this.#stalled = 0
    this.#timer?.refresh()
    this.#controller.enqueue(this.#encoder.encode(text))
  }

  #beat(): void {
    if ((this.#controller?.desiredSize ?? 0) > 0) {
      this.#send(heartbeatText(this.#feed.untold()))
      return
    }
    this.#stalled += 1
    if (this.#stalled < PATIENCE) return
    const controller = this.#controller
    this.#release()
    controller?.error(
      new EventsError('lagging', 'The reader has taken nothing for long, and was let go.'),
    )
  }

  /** Ends well. When many are ended at once, they shouldn't all be back at once. */
  #end(): void {
    const controller = this.#controller
    if (controller === undefined) return
    this.#send(retryText(Math.min(MAX_MS, Math.ceil(this.#retryMs * (1 + Math.random())))))
    this.#release()
    controller.close()
  }

  #release(): void {
    this.#controller = undefined
    clearInterval(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#feed.close()
  }
}

function checkMs(name: string, value: number, lowest: number): number {
  if (checkWhole(name, value, lowest) <= MAX_MS) return value
  throw new EventsError('invalid_option', `${name} is ${value}; it has to be at most ${MAX_MS}.`)
}
