import { outsideContext } from '../context.ts'

/** How much is gathered before it is written, and how long a line waits at most. */
const BATCH_CHARS = 16_384
const BATCH_DELAY_MS = 50
const MAX_DEFERRED = 256

/**
 * Gathers lines so that many of them cost one system call. What is gathered is handed to `deliver`
 * once it is large enough or old enough; the timer never keeps the process alive.
 */
export class Batch {
  readonly #deliver: (lines: string) => void
  #timer: NodeJS.Timeout | undefined
  #lines = ''
  #deferred: (() => void)[] = []

  constructor(deliver: (lines: string) => void) {
    this.#deliver = deliver
  }

  add(line: string): void {
    // What was deferred came first.
    if (this.#deferred.length > 0) this.#catchUp()
    this.#lines += line
    if (this.#lines.length >= BATCH_CHARS) this.release()
    else this.#timer ??= setTimeout(() => this.#due(), BATCH_DELAY_MS).unref()
  }

  /**
   * Keeps work that adds lines until they are delivered: one after another it costs far less. It is
   * done outside of every context, whoever happens to be there.
   */
  defer(work: () => void): void {
    this.#deferred.push(work)
    if (this.#deferred.length >= MAX_DEFERRED) this.release()
    else this.#timer ??= setTimeout(() => this.#due(), BATCH_DELAY_MS).unref()
  }

  /** Does what was deferred and delivers what is gathered, if anything is. */
  release(): void {
    this.#catchUp()
    const lines = this.#lines
    if (lines === '') return
    this.#lines = ''
    this.#deliver(lines)
  }

  #catchUp(): void {
    const deferred = this.#deferred
    if (deferred.length === 0) return
    this.#deferred = []
    outsideContext(() => {
      for (const work of deferred) work()
    })
  }

  #due(): void {
    this.#timer = undefined
    this.release()
  }
}
