import type { Cache, FactoryContext } from '@tidegate/cache'
import type { Recordings } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'
import { decodeAnswer, type KeptAnswer } from './kept-answer.ts'

/** Where answers are kept, for all routes together: as bytes, which a cache's second tier takes as they are. */
export class ResponseCache {
  /** The answers. */
  readonly cache: Cache
  /** Requests by the keys of their answers, where they may be made again. */
  readonly requests: Cache
  /** Calls that are under way. */
  readonly recordings: Recordings<AnswerHead>
  /** The largest answer that is kept, in bytes. */
  readonly maxAnswer: number
  readonly now: () => number
  /** How long the longest call can take: for so long what it makes may be waited for. */
  readonly longestCallMs: number
  readonly #whole: Cache
  /** Answers that are complete, and not stored yet. */
  readonly #storing = new Map<string, Promise<void>>()
  /** Names of calls that somebody may still join. */
  readonly #joinable = new Set<{ readonly name: string }>()

  constructor(parts: {
    readonly cache: Cache
    readonly recordings: Recordings<AnswerHead>
    readonly maxAnswer: number
    readonly longestCallMs: number
    readonly now?: () => number
  }) {
    this.cache = parts.cache.namespace('answers')
    this.requests = parts.cache.namespace('requests')
    this.#whole = parts.cache
    this.recordings = parts.recordings
    this.maxAnswer = parts.maxAnswer
    this.now = parts.now ?? Date.now
    this.longestCallMs = parts.longestCallMs
  }

  /** A fresh one in memory, at once. */
  peek(key: string): KeptAnswer | undefined {
    const encoded = this.cache.peek<Uint8Array>(key)
    return encoded === undefined ? undefined : decodeAnswer(encoded)
  }

  /** One of either tier, fresh or not. What has come and is on its way there is waited for. */
  async find(key: string): Promise<KeptAnswer | undefined> {
    await this.#storing.get(key)
    const entry = await this.cache.getEntry<Uint8Array>(key, { stale: true })
    return entry === undefined ? undefined : decodeAnswer(entry.value)
  }

  keptForMs({ completedAt }: KeptAnswer): number {
    // The gateway that fetched it may have a clock that is ahead.
    return Math.max(0, this.now() - completedAt)
  }

  /**
   * Has something made and kept. What is thrown away while it is made stays away: `make` is called once it is
   * known what was thrown away before. Resolves when `make` has been called; what it gives is stored behind
   * that, unless it gives nothing.
   */
  async make(
    key: string,
    make: (context: FactoryContext<Uint8Array>) => Promise<Uint8Array | undefined>,
  ): Promise<void> {
    const begun = Promise.withResolvers<void>()
    const over = Promise.withResolvers<void>()
    const options = { fresh: true, hardTimeout: this.longestCallMs }
    const made = this.cache.getOrSet<Uint8Array | undefined>(
      key,
      async (context) => {
        begun.resolve()
        const encoded = await make(context as FactoryContext<Uint8Array>)
        if (encoded !== undefined) this.#storing.set(key, over.promise)
        return encoded
      },
      options,
    )
    // What could not be stored has been answered all the same.
    const settled = (): void => {
      begun.resolve()
      over.resolve()
      if (this.#storing.get(key) === over.promise) this.#storing.delete(key)
    }
    made.then(settled, settled)
    await begun.promise
  }

  /** A call that others join by this name, until it is over. */
  begun(name: string): () => void {
    const call = { name }
    this.#joinable.add(call)
    return () => void this.#joinable.delete(call)
  }

  /** Whatever is under way was asked before now: whoever asks from now on gets what is made from now on. */
  async beginAnew(): Promise<void> {
    const calls = [...this.#joinable]
    await Promise.allSettled(calls.map(({ name }) => this.recordings.forget(name)))
  }

  close(): Promise<void> {
    return this.#whole.close()
  }
}
