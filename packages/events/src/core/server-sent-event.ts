import { EventsError } from './errors.ts'

/** What is told of an entry, as a Server-Sent Event. */
export interface ServerSentEvent {
  /** Its name: one line. Default: none, which listeners hear as `message`. */
  readonly event?: string | undefined
  /** Of any number of lines, which listeners have with `\n` between them. */
  readonly data: string
}

const LINE_BREAK = /\r\n|\r|\n/

/**
 * An event as it goes over the wire (HTML Standard, 9.2).
 *
 * @throws EventsError `invalid_option` when its name has a line break.
 */
export function eventText({ event, data }: ServerSentEvent, id?: string): string {
  let text = ''
  if (id !== undefined) text += `id: ${id}\n`
  if (event !== undefined) {
    if (LINE_BREAK.test(event)) {
      const shown = JSON.stringify(event.slice(0, 50))
      throw new EventsError('invalid_option', `${shown} is no name of an event: it has two lines.`)
    }
    text += `event: ${event}\n`
  }
  for (const line of data.split(LINE_BREAK)) text += `data: ${line}\n`
  return `${text}\n`
}

/** Tells how long to wait before coming back, and nothing else. */
export function retryText(ms: number): string {
  return `retry: ${ms}\n\n`
}

/** Tells from where to go on, if anything, without an event: a comment keeps the connection alive. */
export function heartbeatText(id: string | undefined): string {
  return id === undefined ? ':\n\n' : `:\nid: ${id}\n\n`
}
