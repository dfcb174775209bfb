export type { EventStreamOptions } from './core/event-stream.ts'
export type { ServerSentEvent } from './core/server-sent-event.ts'
export { eventStream } from './hono/event-stream.ts'
