import type { EventStreamOptions } from './event-stream.ts'
import type { EventLog, LogEntry, LogPage } from './log.ts'
import { placeOfId } from './log-id.ts'
import { eventText, heartbeatText, type ServerSentEvent } from './server-sent-event.ts'

/** About how much is told in one piece. */
const PIECE = 64 * 1024
const NOTHING = '0-0'

/** What is told to one reader of a log, piece by piece, as it asks. */
export class LogFeed {
  readonly #toEvent: (entry: LogEntry) => ServerSentEvent | undefined
  readonly #onError: (error: unknown) => void
  readonly #over = new AbortController()
  readonly #pieces: AsyncGenerator<string, undefined>
  /** The id up to which the log was read, and the one that the reader knows. */
  #reached: string | undefined
  #told: string | undefined

  constructor(
    log: EventLog,
    lastEventId: string | undefined,
    { after = 'end', toEvent = asText, onError = () => undefined }: EventStreamOptions,
  ) {
    this.#toEvent = toEvent
    this.#onError = onError
    if (after !== 'start' && after !== 'end') placeOfId(after)
    this.#pieces = this.#begin(log, lastEventId || undefined, after)
  }

  /** What comes next, as soon as there is something; `undefined` after the end. */
  async next(): Promise<string | undefined> {
    const { value } = await this.#pieces.next()
    return this.#over.signal.aborted ? undefined : value
  }

  /** The id from which the reader should go on, when it doesn't know that. */
  untold(): string | undefined {
    if (this.#reached === this.#told) return undefined
    this.#told = this.#reached
    return this.#told
  }

  close(): void {
    this.#over.abort()
    // It may be in the midst of a page.
    this.#pieces.return(undefined).catch(() => undefined)
  }

  #begin(
    log: EventLog,
    lastEventId: string | undefined,
    after: string,
  ): AsyncGenerator<string, undefined> {
    const isKnown = lastEventId !== undefined && isId(lastEventId)
    if (isKnown) {
      this.#reached = lastEventId
      this.#told = lastEventId
    }
    const isLost = lastEventId !== undefined && !isKnown
    const from = isKnown ? lastEventId : after
    // Where the end is, is asked for at once, also when nothing is read yet.
    const end = from === 'end' ? log.last() : undefined
    end?.catch(() => undefined)
    return this.#follow(log, from, end, isLost)
  }

  async *#follow(
    log: EventLog,
    from: string,
    end: Promise<string | undefined> | undefined,
    isLost: boolean,
  ): AsyncGenerator<string, undefined> {
    if (isLost) yield gapText(undefined)
    let after = from
    if (end !== undefined) {
      after = await this.#endOf(end)
      // Who is cut off before the first event can go on from here as well.
      if (after !== 'end') {
        this.#reached = after
        yield heartbeatText(this.untold())
      }
    }
    for await (const page of log.tail({ after, signal: this.#over.signal })) yield* this.#page(page)
    return undefined
  }

  async #endOf(end: Promise<string | undefined>): Promise<string> {
    try {
      return (await end) ?? NOTHING
    } catch (error) {
      this.#onError(error)
      return 'end'
    }
  }

  *#page({ entries, gap }: LogPage): Generator<string, void> {
    let text = gap ? gapText(this.#reached) : ''
    for (const entry of entries) {
      text += this.#textOf(entry)
      this.#reached = entry.id
      if (text.length < PIECE) continue
      yield text
      text = ''
    }
    if (text !== '') yield text
  }

  #textOf(entry: LogEntry): string {
    try {
      const event = this.#toEvent(entry)
      if (event === undefined) return ''
      const text = eventText(event, entry.id)
      this.#told = entry.id
      return text
    } catch (error) {
      this.#onError(error)
      return ''
    }
  }
}

/** Tells that entries may be missing after an id. */
function gapText(after: string | undefined): string {
  return eventText({ event: 'gap', data: JSON.stringify({ after: after ?? null }) })
}

function asText({ data }: LogEntry): ServerSentEvent {
  return { data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString() }
}

function isId(text: string): boolean {
  try {
    placeOfId(text)
    return true
  } catch {
    return false
  }
}
