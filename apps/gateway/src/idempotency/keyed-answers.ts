import { setTimeout as pause } from 'node:timers/promises'
import { type Claim, createRecordings, type Recordings } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { SharedRedis } from '../redis.ts'
import { KeyedRecorder } from './keyed-recorder.ts'

/** How many requests are remembered by one process: a key outlives its answer by far. */
const MOST_REMEMBERED = 50_000

/** For how long an answer that settles nothing waits until Redis knows. */
const LONGEST_HOLD_MS = 250

/** What a request with a key finds: that it is the first, an answer, or why there is none for it. */
export type KeyedClaim =
  | { readonly role: 'recorder'; readonly recorder: KeyedRecorder }
  | Exclude<Claim<AnswerHead>, { readonly role: 'recorder' }>

/** The answers to requests with a key: those that are being made, and those that are kept for repeats. */
export class KeyedAnswers {
  readonly #recordings: Recordings<AnswerHead>
  #making = 0
  #onIdle: (() => void)[] = []

  constructor(
    recordings: Recordings<AnswerHead> = createRecordings({ maxRecordings: MOST_REMEMBERED }),
  ) {
    this.#recordings = recordings
  }

  /**
   * Finds what has the name, and keeps it for `windowMs` if it is new and settles its request. `isFailure`: of
   * the body of a success.
   */
  async claim(
    name: string,
    fingerprint: string,
    windowMs: number,
    isFailure?: (body: Uint8Array) => boolean,
  ): Promise<KeyedClaim> {
    const keep = { shared: true, persist: true, keepMs: windowMs, fingerprint }
    const claim = await this.#recordings.claim(name, keep)
    if (claim.role !== 'recorder') return claim
    this.#making += 1
    const recorder = new KeyedRecorder(claim.recorder, {
      onPassing: () => this.#letGo(name),
      onOver: () => this.#over(),
      isFailure,
    })
    return { role: 'recorder', recorder }
  }

  /**
   * Resolves when no answer is being made: some of their clients have left, and will ask for them elsewhere.
   */
  idle(): Promise<void> {
    if (this.#making === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  close(): Promise<void> {
    return this.#recordings.close()
  }

  /** The next to ask begins anew. Where Redis can't be told so in time, it is told by the end. */
  async #letGo(name: string): Promise<void> {
    const forgotten = this.#recordings.forget(name).catch(() => undefined)
    await Promise.race([forgotten, pause(LONGEST_HOLD_MS, undefined, { ref: false })])
  }

  #over(): void {
    this.#making -= 1
    if (this.#making > 0) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}

/**
 * The answers of this gateway, and through Redis those of all that share it. `onError` is told of what went
 * wrong with a claim, also that Redis is away.
 */
export async function openKeyedAnswers(
  redis: SharedRedis | undefined,
  onError: (error: unknown) => void,
): Promise<KeyedAnswers> {
  if (redis === undefined) return new KeyedAnswers()
  const { redisRecordings } = await import('@tidegate/events/redis')
  const { connections, prefix } = redis
  const shared = redisRecordings({
    redis: connections.commands,
    subscriber: connections.subscriber(),
    prefix: `${prefix}:idempotency:1`,
  })
  const recordings = createRecordings<AnswerHead>({
    maxRecordings: MOST_REMEMBERED,
    shared,
    onError,
  })
  return new KeyedAnswers(recordings)
}
