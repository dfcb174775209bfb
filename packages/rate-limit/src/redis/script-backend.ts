import type { Backend, BackendAnswer, BackendAsk } from './backend.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { LimiterKeys } from './limiter-keys.ts'
import { decideScript } from './script/decide-script.ts'
import { ScriptCall } from './script-call.ts'
import { answersOf } from './script-reply.ts'

/** Redis serves nobody else while a script runs: this many keys are well below a millisecond. */
const MOST_KEYS = 200

/** How a {@link ScriptBackend} is made. */
export interface ScriptBackendOptions {
  readonly redis: RedisEvaluator
  /** What all keys begin with; default that of `limiterKey`. */
  readonly prefix?: string | undefined
  /** Whether to try scripts that have the keys of several subjects. Default true. */
  readonly multiSlot?: boolean | undefined
}

/**
 * Decides in Redis, by one script for many asks; on a Cluster, where the keys of a script have to share a
 * slot, by one for each subject. Which of the two it is, it learns from the first refusal.
 */
export class ScriptBackend implements Backend {
  readonly #redis: RedisEvaluator
  readonly #keys: LimiterKeys
  #multiSlot: boolean

  constructor({ redis, prefix, multiSlot = true }: ScriptBackendOptions) {
    this.#redis = redis
    this.#keys = new LimiterKeys(prefix)
    this.#multiSlot = multiSlot
  }

  async decide(asks: readonly BackendAsk[]): Promise<readonly BackendAnswer[]> {
    if (!this.#multiSlot) return await this.#decideApart(asks)
    const parts = chunksOf(asks)
    const answers = await Promise.all(parts.map((part) => this.#decideTogether(part)))
    return answers.flat()
  }

  async #decideTogether(asks: readonly BackendAsk[]): Promise<readonly BackendAnswer[]> {
    try {
      return await this.#run(asks)
    } catch (error) {
      if (asks.length === 1 || !isOfSeveralSlots(error)) throw error
      // Redis says so before a script runs: nothing was charged, so it may be asked again.
      this.#multiSlot = false
      return await this.#decideApart(asks)
    }
  }

  async #decideApart(asks: readonly BackendAsk[]): Promise<readonly BackendAnswer[]> {
    const bySubject = Map.groupBy(asks.entries(), ([, { subject }]) => subject)
    const answers = await Promise.all(
      [...bySubject.values()].map(async (entries) => {
        const parts = chunksOf(entries.map(([, ask]) => ask))
        const told = (await Promise.all(parts.map((part) => this.#run(part)))).flat()
        return entries.map(([place], at) => [place, told[at]] as const)
      }),
    )
    const byPlace = new Map(answers.flat())
    return asks.flatMap((_, place) => byPlace.get(place) ?? [])
  }

  async #run(asks: readonly BackendAsk[]): Promise<readonly BackendAnswer[]> {
    const { keys, argument } = new ScriptCall(asks, this.#keys)
    return answersOf(await this.#redis.evaluate(decideScript, keys, [argument]), asks)
  }
}
function chunksOf(asks: readonly BackendAsk[]): readonly (readonly BackendAsk[])[] {
  const chunks: BackendAsk[][] = []
  let keys = MOST_KEYS
  for (const ask of asks) {
    keys += ask.requests.length
    if (keys > MOST_KEYS) {
      chunks.push([])
      keys = ask.requests.length
    }
    chunks.at(-1)?.push(ask)
  }
  return chunks
}

/** As Redis words it, whatever a client says around it. */
function isOfSeveralSlots(error: unknown): boolean {
  return /\bCROSSSLOT\b/.test(String(error))
}
