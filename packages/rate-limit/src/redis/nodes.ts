import { randomUUID } from 'node:crypto'
import type { RedisEvaluator } from './evaluator.ts'
import { beatScript, leaveScript } from './script/nodes-script.ts'

const BEAT_MS = 5_000

/** Two beats may be lost, and the third be late. */
const GONE_AFTER_MS = 3 * BEAT_MS

/** A Redis that hangs isn't waited for longer: without a word this node is gone soon enough. */
const LEAVE_MS = 500

/** How {@link Nodes} are made. */
export interface NodesOptions {
  readonly redis: RedisEvaluator
  /** The key of the set that all of them share. */
  readonly key: string
  /** What tells this node from others. Default: random, so that it is a new one after each start. */
  readonly nodeId?: string | undefined
}

/**
 * How many processes share a store: each says every 5 seconds that it is there, and is counted for 15 more.
 * When Redis can't be reached the count stays as it was last known.
 */
export class Nodes {
  readonly #redis: RedisEvaluator
  readonly #key: string
  readonly #nodeId: string
  readonly #timer: NodeJS.Timeout
  #beating: Promise<void> | undefined
  #closed = false
  #count = 1

  /** Says at once that it is there. */
  constructor({ redis, key, nodeId = randomUUID() }: NodesOptions) {
    this.#redis = redis
    this.#key = key
    this.#nodeId = nodeId
    this.#timer = setInterval(() => this.#beat(), BEAT_MS).unref()
    this.#beat()
  }

  /** From 1, as last known. */
  get count(): number {
    return this.#count
  }

  /** Settles when the last word to Redis was answered, or failed, or hangs: then this node is forgotten in time. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, LEAVE_MS)
    await Promise.race([this.#leave(), late])
    clearTimeout(timer)
  }

  async #leave(): Promise<void> {
    // A beat that is on its way would bring this node back.
    await this.#beating
    await this.#redis.evaluate(leaveScript, [this.#key], [this.#nodeId]).catch(() => undefined)
  }

  #beat(): void {
    this.#beating ??= this.#ask().finally(() => {
      this.#beating = undefined
    })
  }

  async #ask(): Promise<void> {
    try {
      const args = [this.#nodeId, GONE_AFTER_MS]
      const count = await this.#redis.evaluate(beatScript, [this.#key], args)
      if (Number.isSafeInteger(count)) this.#count = Math.max(1, Number(count))
    } catch {
      // What was last known is the best guess.
    }
  }
}
