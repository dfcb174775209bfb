import { setTimeout as sleep } from 'node:timers/promises'

/** How long a helper waits before it fails, unless told otherwise. */
export const defaultTimeoutMs = 5_000

/** The same for a condition that several processes have to bring about: a busy machine may take its time. */
const pollTimeoutMs = 20_000

/**
 * Settles as `promise` does, or rejects after `timeoutMs` with what `describe` says then: a test
 * that waits for something which never comes fails with a reason instead of the runner's timeout.
 */
export async function withTimeout<T>(
  promise: Promise<T>,
  timeoutMs: number,
  describe: () => string,
): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`${describe()} (waited ${timeoutMs} ms)`))
  }, timeoutMs)
  try {
    return await Promise.race([promise, expired])
  } finally {
    clearTimeout(timer)
  }
}

export interface PollOptions {
  readonly timeoutMs?: number
  readonly intervalMs?: number
  readonly describe: () => string
}

/** Asks `check` again and again until it says true; rejects when the time is over, or when it throws. */
export async function pollUntil(
  check: () => Promise<boolean>,
  { timeoutMs = pollTimeoutMs, intervalMs = 25, describe }: PollOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`${describe()} (waited ${timeoutMs} ms)`)
    await sleep(intervalMs)
  }
}

/** What has happened so far, in order, and a way to wait for what has not happened yet. */
export class Journal<T> {
  readonly #items: T[] = []
  readonly #listeners = new Set<(item: T) => void>()
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  get items(): readonly T[] {
    return this.#items
  }

  push(item: T): void {
    this.#items.push(item)
    for (const listener of [...this.#listeners]) listener(item)
  }

  clear(): void {
    this.#items.length = 0
  }

  /** The first item, past or future, that `matches`. */
  async waitFor(matches: (item: T) => boolean, timeoutMs = defaultTimeoutMs): Promise<T> {
    const known = this.#items.find(matches)
    if (known !== undefined) return known
    const { promise, resolve } = Promise.withResolvers<T>()
    const listener = (item: T) => {
      if (matches(item)) resolve(item)
    }
    this.#listeners.add(listener)
    try {
      return await withTimeout(
        promise,
        timeoutMs,
        () => `no matching ${this.#name} among ${this.#items.length}`,
      )
    } finally {
      this.#listeners.delete(listener)
    }
  }

  /** The item at `index`, as soon as there are so many. */
  async waitForIndex(index: number, timeoutMs = defaultTimeoutMs): Promise<T> {
    return await this.waitFor((item) => this.#items[index] === item, timeoutMs)
  }
}
