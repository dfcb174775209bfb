import { answersFrom, type Backend, type BackendAnswer, type BackendAsk } from './backend.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { LimiterKeys } from './limiter-keys.ts'
import { decideScript } from './script/decide-script.ts'
import { ScriptCall } from './script-call.ts'
import { answerOf, answersOf } from './script-reply.ts'
import { takeTermsOf } from './take-terms.ts'

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

  decide(asks: readonly BackendAsk[]): readonly Promise<BackendAnswer>[] {
    if (!this.#multiSlot) return this.#decideApart(asks)
    return chunksOf(asks).flatMap((part) => this.#decidePart(part))
  }

  #decideApart(asks: readonly BackendAsk[]): readonly Promise<BackendAnswer>[] {
    const bySubject = Map.groupBy(asks, ({ subject }) => subject)
    const answers = new Map<string, Iterator<Promise<BackendAnswer>>>()
    for (const [subject, part] of bySubject) answers.set(subject, this.#decidePart(part).values())
    return asks.flatMap(({ subject }) => answers.get(subject)?.next().value ?? [])
  }

  #decidePart(asks: readonly BackendAsk[]): readonly Promise<BackendAnswer>[] {
    const [ask] = asks
    return ask !== undefined && asks.length === 1
      ? [this.#decideOne(ask)]
      : answersFrom(this.#decideTogether(asks), asks)
  }

  async #decideTogether(asks: readonly BackendAsk[]) {
    try {
      return await this.#run(asks)
    } catch (error) {
      if (!isOfSeveralSlots(error)) throw error
      // Redis says so before a script runs: nothing was charged, so it may be asked again.
      this.#multiSlot = false
      return this.#decideApart(asks)
    }
  }

  async #decideOne(ask: BackendAsk): Promise<BackendAnswer> {
    const terms = takeTermsOf(ask)
    if (terms !== undefined) {
      const key = this.#keys.of(ask.subject, terms.limit)
      const reply = await this.#redis.evaluate(terms.script, [key], terms.args)
      // Nothing was decided: there is something there that only the other script knows.
      if (reply !== null) return answerOf(reply, ask)
    }
    const { keys, argument } = new ScriptCall([ask], this.#keys)
    return answerOf(await this.#redis.evaluate(decideScript, keys, [argument]), ask)
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
