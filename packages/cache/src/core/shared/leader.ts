import { randomBytes } from 'node:crypto'
import type { Asking, Parts } from './parts.ts'

/** How often it is looked whether a leader is done, without word of it: soon at first, then less often. */
const FIRST_LOOK_MS = 20
const MOST_LOOK_MS = 500
const MOST_LEASE_MS = 2_147_483_647

/** Has one factory for a key in the whole cluster: for efficiency, as far as leases can be relied on. */
export class Leaders {
  readonly #parts: Parts
  readonly #waiting = new Map<string, Set<() => void>>()
  /** Keys that are led from here, and were stored meanwhile. */
  readonly #stored = new Set<string>()
  readonly #led = new Set<string>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** `undefined`: another one leads. Rejects when the second tier does. */
  async lead(
    key: string,
    ttlMs: number,
    ask: Asking,
  ): Promise<{ release(): Promise<void> } | undefined> {
    const { driver, names } = this.#parts
    const token = randomBytes(12).toString('base64url')
    const lasting = Math.min(MOST_LEASE_MS, Math.max(1, ttlMs))
    if (!(await ask(() => driver.lock(names.of(key), token, lasting)))) return undefined
    this.#led.add(key)
    return { release: async () => await this.#release(key, token, ask) }
  }

  /** Resolves when a leader elsewhere is done, after `ms` at the latest, or when the second tier rejects. */
  async wait(key: string, ms: number, ask: Asking): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting.add(resolve))
    const limit = setTimeout(resolve, Math.min(MOST_LEASE_MS, ms))
    // Whoever stored it may have told so before we listened.
    const looking = this.#lookAgain(key, resolve, ask)
    try {
      await promise
    } finally {
      clearTimeout(limit)
      looking.stop()
      waiting.delete(resolve)
      if (waiting.size === 0) this.#waiting.delete(key)
    }
  }

  /** A key was stored here or elsewhere, or a leader elsewhere has given up. */
  done(key: string): void {
    if (this.#led.has(key)) this.#stored.add(key)
    for (const resolve of this.#waiting.get(key) ?? []) resolve()
  }

  async #release(key: string, token: string, ask: Asking): Promise<void> {
    const { driver, names, outage, tell } = this.#parts
    this.#led.delete(key)
    const wasStored = this.#stored.delete(key)
    if (!outage.up) return
    try {
      await ask(() => driver.unlock(names.of(key), token))
      if (!wasStored) await tell({ type: 'freed', key }, ask)
    } catch {
      // Then it ends by itself.
    }
  }

  #lookAgain(key: string, resolve: () => void, ask: Asking): { stop(): void } {
    let timer: NodeJS.Timeout | undefined
    let inMs = FIRST_LOOK_MS
    let stopped = false
    const look = async () => {
      const isDone = await this.#isDone(key, ask).catch(() => true)
      if (isDone) resolve()
      if (isDone || stopped) return
      timer = setTimeout(() => void look(), inMs)
      inMs = Math.min(MOST_LOOK_MS, inMs * 2)
    }
    void look()
    const stop = () => {
      stopped = true
      clearTimeout(timer)
    }
    return { stop }
  }

  /** A lease that can be had is one that nobody holds. */
  async #isDone(key: string, ask: Asking): Promise<boolean> {
    const { driver, names } = this.#parts
    const token = randomBytes(12).toString('base64url')
    if (!(await ask(() => driver.lock(names.of(key), token, PROBE_MS)))) return false
    await ask(() => driver.unlock(names.of(key), token))
    return true
  }
}

/** Should the probe's lease not be given back, it keeps nobody waiting for long. */
const PROBE_MS = 1_000
