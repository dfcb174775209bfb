const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
/** What `event`, but no other field's name, begins with. */
const LOWER_E = 0x65
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

const BOM_FIRST_BYTE = 0xef
const BOM_BYTES = 3

/** The name of the field that makes a block an event. */
const DATA = [0x64, 0x61, 0x74, 0x61] as const

const LINE_END = /\r\n|\n|\r/
const DATA_FIELD = /^data(?:: ?|$)/

/**
 * Counts the events of a stream as they go by (WHATWG HTML §9.2), and those that its clients can't
 * read: data that is neither JSON nor `[DONE]`. A block without data, such as a comment, is no event.
 *
 * Data that begins with `{` and ends with `}` is taken for JSON without a second look, so an event that
 * was cut just behind an inner `}` is not noticed. Whatever looks otherwise is parsed before it is
 * called malformed. A chunk that is one such event costs two or three searches for a byte, and no copy.
 */
export class EventTally {
  readonly #judging: boolean
  #begun = false
  #torn = false
  /** Whole events so far. */
  events = 0
  /** Those of them whose data is neither JSON nor `[DONE]`; 0 where nothing is judged. */
  malformed = 0

  /** `judging`: whether every event of the stream has to hold JSON. */
  constructor(judging: boolean) {
    this.#judging = judging
  }

  /** The next bytes, which end where an event ends. Says whether they are one event that holds `{…}`. */
  add(run: Buffer): boolean {
    const usual = !this.#torn && isOneJsonEvent(run)
    if (usual) this.events += 1
    else this.#walk(run)
    this.#begun = true
    return usual
  }

  /** A piece went by of an event that is too large to be seen whole: it counts, but can't be judged. */
  tear(): void {
    this.#torn = true
  }

  #walk(run: Buffer): void {
    let block = !this.#begun && run[0] === BOM_FIRST_BYTE ? BOM_BYTES : 0
    let [from, to] = [-1, -1]
    let lf = find(run, LF, block)
    let cr = find(run, CR, block)
    for (let at = block; at < run.length; ) {
      const end = Math.min(lf, cr)
      const next = end === cr && lf === cr + 1 ? end + 2 : end + 1
      if (end === at) {
        if (from >= 0 || this.#torn) this.#count(run, block, end, from, to)
        block = next
        from = -1
      } else if (isDataLine(run, at, end)) {
        if (from < 0) from = Math.min(run[at + 5] === SPACE ? at + 6 : at + 5, end)
        to = end
      }
      at = next
      if (lf < at) lf = find(run, LF, at)
      if (cr < at) cr = find(run, CR, at)
    }
  }

  #count(run: Buffer, block: number, end: number, from: number, to: number): void {
    this.events += 1
    const judged = this.#judging && !this.#torn
    this.#torn = false
    if (!judged || (run[from] === OPEN_BRACE && run[to - 1] === CLOSE_BRACE)) return
    if (!isReadable(run.toString('utf8', block, end))) this.malformed += 1
  }
}

/**
 * Whether `run` is one line of data that looks like JSON, with no more than an event's name before it.
 * Of streams with CR LF only events without a name are known here.
 */
function isOneJsonEvent(run: Buffer): boolean {
  const end = endOfOnlyLine(run)
  if (run[end - 1] !== CLOSE_BRACE) return false
  const line = run.lastIndexOf(LF, end - 1) + 1
  if (!isDataLine(run, line, end)) return false
  if (run[line + (run[line + 5] === SPACE ? 6 : 5)] !== OPEN_BRACE) return false
  return line === 0 || (run[0] === LOWER_E && run.indexOf(LF) === line - 1)
}

/** Where the empty line at the end of `run` begins, if no CR but that line's own is in it; otherwise 0. */
function endOfOnlyLine(run: Buffer): number {
  const size = run.length
  if (run[size - 1] !== LF) return 0
  const cr = run.indexOf(CR)
  if (cr === -1) return run[size - 2] === LF ? size - 2 : 0
  const isEmptyLine = run[size - 2] === CR && run[size - 3] === LF
  return isEmptyLine && cr === size - 4 ? cr : 0
}

/** Whether the field of the line from `at` to `end` is `data`. */
function isDataLine(run: Buffer, at: number, end: number): boolean {
  return (
    run[at] === DATA[0] &&
    run[at + 1] === DATA[1] &&
    run[at + 2] === DATA[2] &&
    run[at + 3] === DATA[3] &&
    (at + 4 === end || run[at + 4] === COLON)
  )
}

/** Where `byte` comes next, the length of `run` if it doesn't. */
function find(run: Buffer, byte: number, from: number): number {
  const at = run.indexOf(byte, from)
  return at === -1 ? run.length : at
}

/** Whether the data of one event is what a client of an AI endpoint can read. */
function isReadable(event: string): boolean {
  const lines = event.split(LINE_END).filter((line) => DATA_FIELD.test(line))
  const data = lines.map((line) => line.replace(DATA_FIELD, '')).join('\n')
  if (data.startsWith('[DONE]')) return true
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}
