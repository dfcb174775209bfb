import type { Claim, ClaimOptions, Recorder, Recording, Recordings } from '../core/recording.ts'
import { createRecordings, type RecordingsOptions } from '../core/recordings.ts'
import type { Connected } from './client.fixture.ts'
import { type RedisRecordingsOptions, redisRecordings } from './redis-recordings.ts'

/** The recordings of one process, or of what stands for one. */
export interface Process extends AsyncDisposable {
  readonly recordings: Recordings<unknown>
  claim(name: string, options?: ClaimOptions): Promise<Claim<unknown>>
  begin(name: string, options?: ClaimOptions): Promise<Recorder<unknown>>
  join(name: string, options?: ClaimOptions): Promise<Recording<unknown>>
}

export type Options = Partial<RedisRecordingsOptions> &
  Pick<RecordingsOptions, 'maxBytes' | 'onError'>

export function processOn({ redis, subscriber }: Connected, options: Options = {}): Process {
  const { maxBytes, onError, ...store } = options
  const shared = redisRecordings({ redis, subscriber, ...store })
  const recordings = createRecordings<unknown>({ shared, maxBytes, onError })
  const claim = async (name: string, how: ClaimOptions = {}) =>
    await recordings.claim(name, { shared: true, ...how })
  return {
    recordings,
    claim,
    async begin(name, how) {
      const claimed = await claim(name, how)
      if (claimed.role === 'recorder') return claimed.recorder
      throw new TypeError(`The role is ${claimed.role}, not recorder.`)
    },
    async join(name, how) {
      const claimed = await claim(name, how)
      if (claimed.role === 'reader') return claimed.recording
      throw new TypeError(`The role is ${claimed.role}, not reader.`)
    },
    async [Symbol.asyncDispose]() {
      await recordings.close()
    },
  }
}
