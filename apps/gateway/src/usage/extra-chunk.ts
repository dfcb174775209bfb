import { spaceEnd } from '../upstreams/json-bytes.ts'

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

const CHOICES = Buffer.from('"choices":')

/** What an event holds behind its field names, of every line that is data. */
const DATA_LINE = /^data: ?(.*)$/gm

const NOTHING = Buffer.alloc(0)

/**
 * Takes the chunk out of a stream of completions that says what was used and has no choices: it comes
 * because we asked for it. Every other byte stays, with the `usage: null` that other chunks have then.
 */
export class ExtraChunk {
  /** What was taken out ended with CR: an LF that comes next belongs to it. */
  #owesLf = false

  /** Takes the next whole events; returns what is left of them. */
  removeFrom(events: Buffer): Buffer {
    let rest = events
    if (this.#owesLf && events.length > 0) {
      this.#owesLf = false
      if (events[0] === LF) rest = events.subarray(1)
    }
    return hasNoChoices(rest) ? this.#without(rest) : rest
  }

  #without(events: Buffer): Buffer {
    const pieces: Buffer[] = []
    let kept = 0
    for (const [start, end] of blocks(events)) {
      if (!isExtra(events.toString('utf8', start, end))) continue
      pieces.push(events.subarray(kept, start))
      kept = end
    }
    if (kept === 0) return events
    this.#owesLf = kept === events.length && events[kept - 1] === CR
    pieces.push(events.subarray(kept))
    return pieces.every(({ length }) => length === 0) ? NOTHING : Buffer.concat(pieces)
  }
}

/** Whether some event looks like the extra chunk: nearly every other is told apart by this alone. */
function hasNoChoices(events: Buffer): boolean {
  for (let at = events.indexOf(CHOICES); at !== -1; at = events.indexOf(CHOICES, at)) {
    at = spaceEnd(events, at + CHOICES.length)
    if (events[at] === OPEN_BRACKET && events[spaceEnd(events, at + 1)] === CLOSE_BRACKET) {
      return true
    }
  }
  return false
}

/** Where each block begins, after comments, and ends, past its empty line. */
function* blocks(events: Buffer): Generator<readonly [start: number, end: number]> {
  let start = -1
  for (let line = 0; line < events.length; ) {
    const end = lineEnd(events, line)
    const next = events[end] === CR && events[end + 1] === LF ? end + 2 : end + 1
    if (end > line && start === -1 && events[line] !== COLON) start = line
    if (end === line && start !== -1) {
      yield [start, next]
      start = -1
    }
    line = next
  }
  if (start !== -1) yield [start, events.length]
}

function lineEnd(events: Buffer, from: number): number {
  for (let at = from; at < events.length; at += 1) {
    if (events[at] === LF || events[at] === CR) return at
  }
  return events.length
}

function isExtra(block: string): boolean {
  const data = [...block.matchAll(DATA_LINE)].map(([, line = '']) => line).join('\n')
  try {
    const chunk: unknown = JSON.parse(data)
    return isObject(chunk) && isObject(chunk.usage) && isEmpty(chunk.choices)
  } catch {
    return false
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
