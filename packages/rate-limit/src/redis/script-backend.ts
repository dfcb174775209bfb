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
  /** Whether one script may have the keys of several subjects: not on a Cluster. Default false. */
  readonly multiSlot?: boolean | undefined
}

/** Decides in Redis, by a script: by one for many asks, or by one for each where a Cluster needs it. */
export class ScriptBackend implements Backend {
  readonly #redis: RedisEvaluator
  readonly #keys: LimiterKeys
  readonly #multiSlot: boolean

  constructor({ redis, prefix, multiSlot = false }: ScriptBackendOptions) {
    this.#redis = redis
    this.#keys = new LimiterKeys(prefix)
    this.#multiSlot = multiSlot
  }

  async decide(asks: readonly BackendAsk[]): Promise<readonly BackendAnswer[]> {
    if (asks.length === 1) return await this.#run(asks)
    const parts = this.#multiSlot ? chunksOf(asks) : asks.map((ask) => [ask])
    const answers = await Promise.all(parts.map((part) => this.#run(part)))
    return answers.flat()
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
