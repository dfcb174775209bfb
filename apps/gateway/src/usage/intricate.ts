const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Twice the token ids of a very long prompt. Parsing as much of the worst kind takes a tenth of a second. */
const MOST_STRUCTURE = 1024 * 1024

/**
 * Whether a JSON text has so much beside its strings that parsing it would hold everybody else up: a few
 * megabytes of brackets take a second, of words or of an embedded file none to speak of.
 */
export function isIntricate(body: Buffer): boolean {
  if (body.length <= MOST_STRUCTURE) return false
  let structure = 0
  for (let at = 0; at < body.length; ) {
    const opens = body.indexOf(QUOTE, at)
    structure += (opens === -1 ? body.length : opens) - at
    if (structure > MOST_STRUCTURE) return true
    if (opens === -1) return false
    at = stringEnd(body, opens + 1)
  }
  return false
}

/** Past the closing quote of the string that `from` is in, or the end of all. */
function stringEnd(body: Buffer, from: number): number {
  let at = body.indexOf(QUOTE, from)
  while (at !== -1 && isEscaped(body, at, from)) at = body.indexOf(QUOTE, at + 1)
  return at === -1 ? body.length : at + 1
}

function isEscaped(body: Buffer, quote: number, from: number): boolean {
  let slashes = 0
  while (quote - slashes > from && body[quote - 1 - slashes] === BACKSLASH) slashes += 1
  return slashes % 2 === 1
}
