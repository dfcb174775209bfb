/** The tokens that an upstream says were used; what it didn't say is `undefined`. */
export interface ReportedUsage {
  readonly input: number | undefined
  readonly output: number | undefined
  /** At least as many as the two together: some providers count thoughts only here. */
  readonly total: number
}

const NAME = Buffer.from('"usage"')

const SPACE = 0x20
const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

const NOTHING = Buffer.alloc(0)

/** How nearly all of them begin that are no Anthropic's; what follows says nothing more of these three. */
const USUAL =
  /^\{\s*"prompt_tokens"\s*:\s*(\d{1,9})\s*,\s*"completion_tokens"\s*:\s*(\d{1,9})\s*,\s*"total_tokens"\s*:\s*(\d{1,9})\s*[,}]/

/** As much as {@link USUAL} can be long, with a space where one is usual. */
const USUAL_BYTES = 128

/** What providers send is some hundred bytes. */
const MAX_OBJECT_BYTES = 8 * 1024

/** A number above this is a fault of the upstream's and says nothing. */
const MOST_TOKENS = 1_000_000_000

/**
 * Finds the members `usage` of an answer as its bytes go by, of one JSON document as well as of the
 * events of a stream, in pieces of any size, and keeps none of them: only an object behind that name is
 * gathered and parsed. Inside a JSON string a quote is escaped, so the name is never the model's words.
 *
 * Streams tell their use more than once, and count up: of each number the largest holds.
 */
export class UsageScanner {
  #state: 'searching' | 'named' | 'valued' | 'gathering' = 'searching'
  /** The last bytes of the piece before: the name may begin there. */
  #tail = NOTHING
  #gathered: Buffer[] = []
  #size = 0
  #depth = 0
  #inString = false
  #escaped = false
  #input: number | undefined
  #output: number | undefined
  #total = 0

  /** What has been reported so far. */
  get reported(): ReportedUsage | undefined {
    const [input, output] = [this.#input, this.#output]
    if (input === undefined && output === undefined && this.#total === 0) return undefined
    return { input, output, total: Math.max(this.#total, (input ?? 0) + (output ?? 0)) }
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#state === 'searching') at = this.#search(bytes, at)
      else if (this.#state === 'gathering') at = this.#gather(bytes, at)
      else at = this.#expect(bytes, at)
    }
  }

  /** Goes past the next name, or to the end. */
  #search(bytes: Buffer, from: number): number {
    if (this.#tail.length > 0) {
      const seam = Buffer.concat([this.#tail, bytes.subarray(from, from + NAME.length - 1)])
      const across = seam.indexOf(NAME)
      if (across !== -1) return this.#found(from + across - this.#tail.length + NAME.length)
    }
    const found = bytes.length - from < NAME.length ? -1 : bytes.indexOf(NAME, from)
    if (found !== -1) return this.#found(found + NAME.length)
    this.#keepTail(bytes, from)
    return bytes.length
  }

  #found(end: number): number {
    this.#tail = NOTHING
    return this.#enter('named', end)
  }

  #keepTail(bytes: Buffer, from: number): void {
    const kept = NAME.length - 1
    const begin = Math.max(from, bytes.length - kept)
    const isCovered = this.#tail.length === 0 || bytes.length - from >= kept
    // So nearly every event ends: nothing is made of it.
    if (isCovered && !hasQuote(bytes, begin)) {
      this.#tail = NOTHING
      return
    }
    const rest = bytes.subarray(begin)
    const all = rest.length < kept ? Buffer.concat([this.#tail, rest]).subarray(-kept) : rest
    // Copied, so that the piece it was in isn't kept for it. What ends an event has no quote in it.
    this.#tail = all.includes(QUOTE) ? Buffer.from(all) : NOTHING
  }

  /** Between the name and what makes it a member that is an object; anything else is passed over. */
  #expect(bytes: Buffer, from: number): number {
    let at = from
    while (isSpace(bytes[at])) at += 1
    const byte = bytes[at]
    if (byte === undefined) return at
    if (this.#state === 'named' && byte === COLON) return this.#enter('valued', at + 1)
    if (this.#state === 'named' || byte !== OPEN_BRACE) return this.#enter('searching', at)
    const usual = USUAL.exec(bytes.toString('latin1', at, at + USUAL_BYTES))
    if (usual !== null) {
      this.#take(Number(usual[1]), Number(usual[2]), Number(usual[3]))
      return this.#enter('searching', at + usual[0].length)
    }
    this.#gathered = []
    this.#size = 0
    this.#depth = 0
    return this.#enter('gathering', at)
  }

  /** Goes to the end of the object, which is read then. */
  #gather(bytes: Buffer, from: number): number {
    let at = from
    let whole = false
    for (; at < bytes.length && !whole; at += 1) whole = this.#closes(bytes[at] as number)
    const piece = bytes.subarray(from, at)
    this.#size += piece.length
    if (this.#size > MAX_OBJECT_BYTES) return this.#leave(at)
    if (whole) {
      this.#read(this.#gathered.length === 0 ? piece : Buffer.concat([...this.#gathered, piece]))
      return this.#leave(at)
    }
    this.#gathered.push(Buffer.from(piece))
    return at
  }

  /** Whether `byte` closes the object. */
  #closes(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === BACKSLASH) this.#escaped = true
      else if (byte === QUOTE) this.#inString = false
      return false
    }
    if (byte === QUOTE) this.#inString = true
    else if (byte === OPEN_BRACE) this.#depth += 1
    else if (byte === CLOSE_BRACE) this.#depth -= 1
    return this.#depth === 0
  }

  #leave(at: number): number {
    this.#gathered = []
    this.#inString = false
    this.#escaped = false
    return this.#enter('searching', at)
  }

  #enter(state: 'searching' | 'named' | 'valued' | 'gathering', at: number): number {
    this.#state = state
    return at
  }

  #read(object: Buffer): void {
    const usage = parsed(object)
    if (usage === undefined) return
    const input = count(usage.prompt_tokens) ?? withCache(usage)
    const output = count(usage.completion_tokens) ?? count(usage.output_tokens)
    this.#take(input, output, count(usage.total_tokens) ?? 0)
  }

  #take(input: number | undefined, output: number | undefined, total: number): void {
    this.#input = larger(this.#input, input)
    this.#output = larger(this.#output, output)
    this.#total = Math.max(this.#total, total)
  }
}

function hasQuote(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at += 1) if (bytes[at] === QUOTE) return true
  return false
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function parsed(object: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(object.toString())
  } catch {
    return undefined
  }
}

/** A number of tokens, made whole; `undefined` for whatever can't be one. */
function count(value: unknown): number | undefined {
  const isCount = typeof value === 'number' && value >= 0 && value <= MOST_TOKENS
  return isCount ? Math.ceil(value) : undefined
}

/**
 * Anthropic counts what comes from its cache, or goes there, beside the rest. Where others name these
 * numbers too, beside `prompt_tokens`, they are within it.
 */
function withCache(usage: Readonly<Record<string, unknown>>): number | undefined {
  const { cache_creation_input_tokens: written, cache_read_input_tokens: read } = usage
  const rest = count(usage.input_tokens)
  return rest === undefined ? undefined : rest + (count(written) ?? 0) + (count(read) ?? 0)
}

function larger(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Math.max(one, other)
}
