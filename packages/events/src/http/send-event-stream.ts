import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import {
  type EventStreamOptions,
  eventStreamHeaders,
  openEventStream,
} from '../core/event-stream.ts'
import type { EventLog } from '../core/log.ts'

/**
 * Answers a request of `node:http`, or of Express, with a log as Server-Sent Events, from after its `Last-Event-ID`
 * on, or, for clients that can't send that, its query's `lastEventId`. When entries may be missing there is an event
 * `gap` before those that are there, whose data is `{"after": id | null}`. Resolves when it is over: when the client
 * has left, the log was closed, or with `signal`.
 *
 * @throws EventsError `invalid_option`, or `invalid_id` when `after` is none; then nothing was sent.
 */
export async function sendEventStream(
  request: IncomingMessage,
  response: ServerResponse,
  log: EventLog,
  options: EventStreamOptions = {},
): Promise<void> {
  if (request.method === 'HEAD') {
    response.writeHead(200, eventStreamHeaders).end()
    return
  }
  const stream = openEventStream(log, lastEventIdOf(request), options)
  response.writeHead(200, eventStreamHeaders)
  // A client that leaves, or is let go, is an end like any other.
  await pipeline(Readable.fromWeb(stream as ReadableStream), response).catch(() => undefined)
}

function lastEventIdOf({ headers, url = '' }: IncomingMessage): string | undefined {
  const header = headers['last-event-id']
  if (typeof header === 'string' && header !== '') return header
  const query = url.indexOf('?')
  if (query === -1) return undefined
  return new URLSearchParams(url.slice(query)).get('lastEventId') ?? undefined
}
