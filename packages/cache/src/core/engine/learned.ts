import { observerOf } from '../access.ts'
import type { CacheOptions, Settings } from '../options.ts'
import { POPULAR_KEY, PopularEntries, type RecordPlace } from '../popular.ts'
import type { PopularKey } from '../popularity.ts'
import { predict } from '../prediction/predict.ts'
import type { Prediction } from '../prediction/prediction.ts'
import type { Engine } from './engine.ts'

/** For so long a record is kept that nobody renews. */
const RECORD_MS = 30 * 86_400_000

/** What a cache learns from the accesses to it, where it is asked to. */
export class Learned {
  readonly prediction: Prediction | undefined
  readonly #popular: PopularEntries | undefined

  constructor(engine: Engine, options: CacheOptions, settings: Settings) {
    const { now, random } = settings
    const { popular = false, prediction } = options
    if (popular !== false) {
      const place = options.l2 === undefined ? undefined : placeIn(engine, settings)
      const terms = popular === true ? {} : popular
      this.#popular = new PopularEntries(terms, { now, random }, place)
    }
    if (prediction !== undefined) {
      const has = (key: string) => {
        const entry = engine.tier.peek(key)
        return entry !== undefined && engine.serves(entry, now())
      }
      this.prediction = predict(prediction, { has, now })
    }
    engine.observer = observerOf(this.#popular?.popularity, this.prediction)
  }

  async top(n: number | undefined, prefix: string): Promise<readonly PopularKey[]> {
    return (await this.#popular?.top(n, prefix)) ?? []
  }

  async close(): Promise<void> {
    await this.#popular?.close()
  }
}

/** In the second tier alone: memory has the record itself. */
function placeIn(engine: Engine, { policy }: Settings): RecordPlace {
  const terms = { ...policy, ttlMs: RECORD_MS, staleMs: 0, jitter: 0 }
  return {
    async read() {
      const { coherence } = engine
      if (!coherence.shared) return undefined
      const [found] = await coherence.read([POPULAR_KEY])
      return found?.entry?.value
    },
    async write(value) {
      const { coherence } = engine
      if (!coherence.shared) return
      const item = { key: POPULAR_KEY, value, policy: terms, tags: [] }
      const entry = engine.make(item, coherence.capture())
      await coherence.write([{ key: POPULAR_KEY, entry, capture: undefined }])
    },
  }
}
