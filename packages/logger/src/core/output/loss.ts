import { writeSync } from 'node:fs'

/** Says something where the log itself can't be written: on stderr, if that is there. */
export function tellOperator(text: string): void {
  try {
    writeSync(2, `${text}\n`)
  } catch {
    // Nobody is left to tell.
  }
}

/** Counts lines in a text of whole lines. */
export function countLines(text: string | Uint8Array): number {
  let lines = 0
  const newline = '\n'
  if (typeof text === 'string') {
    for (let at = text.indexOf(newline); at !== -1; at = text.indexOf(newline, at + 1)) lines++
  } else {
    for (let at = text.indexOf(10); at !== -1; at = text.indexOf(10, at + 1)) lines++
  }
  return lines
}

/**
 * Keeps the account of lines that a destination didn't take. Its first failure is told on stderr, once
 * until it works again; then a line in the log says how many are missing.
 */
export class LossAccount {
  readonly #destination: string
  readonly #now: () => number
  #lines = 0
  #told = false

  constructor(destination: string, now: () => number) {
    this.#destination = destination
    this.#now = now
  }

  /** Notes a failure; `lines` of them could not be kept. */
  failed(reason: string, lines: number): void {
    this.#lines += lines
    if (this.#told) return
    this.#told = true
    tellOperator(
      `log: writing to ${this.#destination} failed (${reason}); lines may be lost until it works again`,
    )
  }

  /** After a write that worked: the line to add to the log, if any were lost before. */
  recovered(): string | undefined {
    if (!this.#told) return undefined
    this.#told = false
    const lines = this.#lines
    this.#lines = 0
    if (lines === 0) return undefined
    const timestamp = new Date(this.#now()).toISOString()
    const fields = { level: 'warn', timestamp, pid: process.pid, lost_lines: lines }
    return `${JSON.stringify({ ...fields, message: 'log lines were lost' })}\n`
  }

  /** At the end: tells how many lines never made it. */
  close(): void {
    if (this.#lines > 0)
      tellOperator(`log: ${this.#lines} lines for ${this.#destination} were lost`)
    this.#lines = 0
  }
}
