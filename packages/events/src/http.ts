export type { EventStreamOptions } from './core/event-stream.ts'
export type { ServerSentEvent } from './core/server-sent-event.ts'
export { sendEventStream } from './http/send-event-stream.ts'
