import type { StreamEnding, TerminalMarker } from './sse-scanner.ts'

/**
 * How each endpoint's stream says that it is complete. Inside a JSON string a quote is escaped and a
 * line break is `\n`, so neither `"key":"` nor a line that starts with `event:` can be the model's words.
 *
 * A stream that we have no marker for is judged by its transport alone.
 *
 * Sources: OpenAI API reference (chat completions, completions, responses; streaming events),
 * Anthropic API reference (messages; streaming).
 */
const markers: readonly (readonly [suffix: string, marker: TerminalMarker])[] = [
  ['/chat/completions', completions],
  ['/completions', completions],
  ['/responses', responses],
  ['/messages', messages],
]

/** Searched for in every event of a stream: as bytes, so that no search has to encode them first. */
const DONE = Buffer.from('[DONE]')
const FINISH_REASON = Buffer.from('"finish_reason":')
const RESPONSE = Buffer.from('response.')
const MESSAGE_STOP = Buffer.from('message_stop')
const ERROR = Buffer.from('error')

const LOWER_E = 0x65
const LOWER_M = 0x6d

/** The marker for a normalised request path, `undefined` where the endpoint is unknown. */
export function terminalMarker(path: string): TerminalMarker | undefined {
  return markers.find(([suffix]) => path.endsWith(suffix))?.[1]
}

/** `data: [DONE]`; a finish reason alone where a provider leaves that out. */
function completions(events: Buffer, isOneObject: boolean): StreamEnding {
  if (!isOneObject && isDone(events)) return 'complete'
  if (finishReason(events)) return 'finished'
  return failed(events)
}

function isDone(events: Buffer): boolean {
  return events.includes(DONE) && /^data: ?\[DONE\]/m.test(events.toString('latin1'))
}

function finishReason(events: Buffer): boolean {
  for (let at = 0; ; ) {
    at = events.indexOf(FINISH_REASON, at)
    if (at === -1) return false
    at += FINISH_REASON.length
    while (events[at] === 0x20) at += 1
    if (events[at] === 0x22) return true
  }
}

function responses(events: Buffer): StreamEnding {
  if (!events.includes(RESPONSE) && !events.includes(ERROR)) return 'open'
  const text = events.toString('latin1')
  if (/^event: ?response\.(completed|incomplete|cancelled)[\r\n]/m.test(text)) return 'complete'
  if (/"type": ?"response\.(completed|incomplete|cancelled)"/.test(text)) return 'complete'
  if (/"type": ?"response\.failed"/.test(text)) return 'failed'
  return failed(events)
}

function messages(events: Buffer, isOneObject: boolean): StreamEnding {
  if (isOneObject && isNamedOtherwise(events)) return 'open'
  if (events.includes(MESSAGE_STOP)) {
    const text = events.toString('latin1')
    if (/^event: ?message_stop[\r\n]/m.test(text) || /"type": ?"message_stop"/.test(text)) {
      return 'complete'
    }
  }
  return failed(events)
}

/** Whether the one event names itself, and neither `message_…` nor `error`: nearly all of a stream do. */
function isNamedOtherwise(event: Buffer): boolean {
  if (event[0] !== LOWER_E) return false
  const initial = event[event[6] === 0x20 ? 7 : 6]
  return initial !== LOWER_E && initial !== LOWER_M
}

/** An error event of the upstream's own: the stream ended badly, and has said so itself. */
function failed(events: Buffer): StreamEnding {
  if (!events.includes(ERROR)) return 'open'
  const text = events.toString('latin1')
  if (/^event: ?error[\r\n]/m.test(text)) return 'failed'
  return /^data: ?\{\s*"error": ?\{/m.test(text) ? 'failed' : 'open'
}
