import { createParser } from 'eventsource-parser'
import type { HttpStreamResponse } from './call-options.ts'
import { ResponseValidationError, StreamInterruptedError } from './errors.ts'

/** One event of a stream (WHATWG HTML §9.2). */
export interface ServerSentEvent {
  /** Absent where the stream names none, which means `message`. */
  readonly event: string | undefined
  readonly data: string
  /** Absent where this event has none of its own. */
  readonly id: string | undefined
}

/** How events are read. */
export interface EventReading {
  /** The longest event, in characters. */
  readonly maxLength: number
  /** Says which event is the last one: a body that ends without it has broken off. */
  readonly isLast: ((event: ServerSentEvent) => boolean) | undefined
}

/**
 * The events of a stream, as they come. It is opened when the first one is asked for, and closed by who
 * leaves the loop, also while that waits.
 *
 * @throws ResponseValidationError when the response is no event stream, or an event is too long.
 * @throws StreamInterruptedError when it ends too early.
 */
export function readEvents(
  open: (leaving: AbortSignal) => Promise<HttpStreamResponse>,
  reading: EventReading,
): AsyncIterableIterator<ServerSentEvent, undefined> {
  const leaving = new AbortController()
  let response: HttpStreamResponse | undefined

  async function* events(): AsyncGenerator<ServerSentEvent, undefined> {
    response = await open(leaving.signal)
    yield* eventsOf(response, reading)
  }

  const iterator = events()
  return {
    next: () => iterator.next(),
    return: () => {
      // A generator would first wait for the event that it is waiting for.
      if (response === undefined) leaving.abort(new Error('The reader left.'))
      else response.body.cancel()
      return iterator.return(undefined)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function* eventsOf(
  response: HttpStreamResponse,
  { maxLength, isLast }: EventReading,
): AsyncGenerator<ServerSentEvent, undefined> {
  const { body, endpoint } = response
  checkIsEventStream(response)
  const events: ServerSentEvent[] = []
  let tooLong = false
  const parser = createParser({
    onEvent: ({ event, data, id }) => events.push({ event, data, id }),
    onError: ({ type }) => {
      tooLong ||= type === 'max-buffer-size-exceeded'
    },
    maxBufferSize: maxLength,
  })
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    parser.feed(decoder.decode(chunk, { stream: true }))
    for (const event of events.splice(0)) {
      const last = isLast?.(event) === true
      // Before it is handed out: nobody may come back for more.
      if (last) body.finish()
      yield event
      if (last) return
    }
    if (tooLong) throw invalid(response, `one of its events is longer than ${maxLength} characters`)
  }
  if (isLast === undefined) return
  throw new StreamInterruptedError(bytes, 'it ended without its last event.', { endpoint })
}

function checkIsEventStream(response: HttpStreamResponse): void {
  const { headers, body } = response
  const type = String(headers['content-type'] ?? '')
  const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity'
  if (/^text\/event-stream\s*(?:;|$)/i.test(type) && isPlain) return
  body.cancel()
  throw invalid(
    response,
    isPlain ? 'its content-type is not text/event-stream' : 'it is compressed',
  )
}

function invalid({ status, endpoint }: HttpStreamResponse, message: string): Error {
  return new ResponseValidationError(status, [{ path: '', message }], { endpoint })
}
