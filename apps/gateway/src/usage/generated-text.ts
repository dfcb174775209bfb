import type { TokenEndpoint } from './endpoints.ts'

type TextEndpoint = Exclude<TokenEndpoint, 'input'>

/** The members of a stream's events that hold what the model writes. */
const MEMBERS: Readonly<Record<TextEndpoint, readonly Buffer[]>> = {
  completions: named('content', 'reasoning_content', 'reasoning', 'refusal', 'arguments', 'text'),
  // Its last events repeat the whole text under other names.
  responses: named('delta'),
  messages: named('text', 'thinking', 'partial_json'),
}

const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c

function named(...names: string[]): Buffer[] {
  return names.map((name) => Buffer.from(`"${name}":`))
}

/**
 * How many bytes of the model's words are in whole events of a stream, found without parsing them: what
 * a stream has cost that broke before it could say so. An escaped character counts as it is written.
 * Inside a JSON string a quote is escaped, so no member is taken for one that is only talked about.
 */
export function generatedBytes(events: Buffer, endpoint: TextEndpoint): number {
  let bytes = 0
  for (const member of MEMBERS[endpoint]) {
    for (let at = events.indexOf(member); at !== -1; at = events.indexOf(member, at)) {
      at += member.length
      if (events[at] === SPACE) at += 1
      if (events[at] !== QUOTE) continue
      const end = stringEnd(events, at + 1)
      bytes += end - at - 1
      at = end
    }
  }
  return bytes
}

/** The closing quote of the string that `from` is in, or the end of all. */
function stringEnd(events: Buffer, from: number): number {
  for (let at = from; ; at += 1) {
    at = events.indexOf(QUOTE, at)
    if (at === -1) return events.length
    let slashes = 0
    while (events[at - 1 - slashes] === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return at
  }
}
