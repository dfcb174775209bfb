import type { Context } from 'hono'
import {
  type EventStreamOptions,
  eventStreamHeaders,
  openEventStream,
} from '../core/event-stream.ts'
import type { EventLog } from '../core/log.ts'

/**
 * Answers with a log as Server-Sent Events, from after the request's `Last-Event-ID` on, or, for clients that can't
 * send that, its query's `lastEventId`. When entries may be missing there is an event `gap` before those that are
 * there, whose data is `{"after": id | null}`. It ends when the client leaves, when the log is closed, or with
 * `signal`.
 *
 * @throws EventsError `invalid_option`, or `invalid_id` when `after` is none.
 */
export function eventStream(c: Context, log: EventLog, options: EventStreamOptions = {}): Response {
  // Nobody would read, or let go of, a body.
  if (c.req.method === 'HEAD') return c.body(null, 200, eventStreamHeaders)
  const lastEventId = c.req.header('last-event-id') || c.req.query('lastEventId')
  return c.body(openEventStream(log, lastEventId, options), 200, eventStreamHeaders)
}
