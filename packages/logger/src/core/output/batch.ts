/** How much is gathered before it is written, and how long a line waits at most. */
const BATCH_CHARS = 16_384
const BATCH_DELAY_MS = 50

/**
 * Gathers lines so that many of them cost one system call. What is gathered is handed to `deliver`
 * once it is large enough or old enough; the timer never keeps the process alive.
 */
export class Batch {
  readonly #deliver: (lines: string) => void
  readonly #timer: NodeJS.Timeout
  #armed = false
  #lines = ''

  constructor(deliver: (lines: string) => void) {
    this.#deliver = deliver
    this.#timer = setTimeout(() => {
      this.#armed = false
      this.release()
    }, BATCH_DELAY_MS).unref()
    clearTimeout(this.#timer)
  }

  add(line: string): void {
    this.#lines += line
    if (this.#lines.length >= BATCH_CHARS) this.release()
    else if (!this.#armed) {
      this.#armed = true
      this.#timer.refresh()
    }
  }

  /** Delivers what is gathered, if anything is. */
  release(): void {
    const lines = this.#lines
    if (lines === '') return
    this.#lines = ''
    this.#deliver(lines)
  }
}
