import type { Stored } from '../core/driver.ts'

type Read = (names: readonly string[]) => Promise<readonly Stored[]>

interface Reader {
  readonly from: number
  readonly to: number
  readonly resolve: (stored: readonly Stored[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Sends what is asked while an answer is awaited as one command, at the end of the turn of the event loop:
 * most of what a small read costs, here and in Redis, is its command. A read that comes alone doesn't wait.
 */
export class GatheredReads {
  readonly #send: Read
  #awaited = 0
  #names: string[] = []
  #readers: Reader[] = []

  constructor(send: Read) {
    this.#send = send
  }

  read(names: readonly string[]): Promise<readonly Stored[]> {
    if (this.#awaited === 0) return this.#ask(names)
    return new Promise((resolve, reject) => {
      if (this.#readers.length === 0) setImmediate(() => this.#askGathered())
      const from = this.#names.length
      this.#names.push(...names)
      this.#readers.push({ from, to: this.#names.length, resolve, reject })
    })
  }

  async #ask(names: readonly string[]): Promise<readonly Stored[]> {
    this.#awaited += 1
    try {
      return await this.#send(names)
    } finally {
      this.#awaited -= 1
    }
  }

  #askGathered(): void {
    const [names, readers] = [this.#names, this.#readers]
    this.#names = []
    this.#readers = []
    this.#ask(names).then(
      (stored) => {
        for (const { from, to, resolve } of readers) resolve(stored.slice(from, to))
      },
      (error) => {
        for (const { reject } of readers) reject(error)
      },
    )
  }
}
