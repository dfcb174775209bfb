import { memoryStore } from '../memory-store.ts'
import type { Store, StoreRequest, Verdict } from '../store.ts'

/** What a store does with a call: it answers, rejects, throws, or keeps it until told to answer. */
export type Conduct = 'answers' | 'rejects' | 'throws' | 'hangs'

/** A store in memory that does as it is told, and tells what it was asked. */
export class FaultyStore implements Store {
  conduct: Conduct = 'answers'
  nodes: number | undefined
  readonly asked: { readonly subject: string; readonly requests: readonly StoreRequest[] }[] = []
  readonly #memory = memoryStore()
  readonly #kept: (() => void)[] = []

  decide(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
  ): Promise<readonly Verdict[]> {
    this.asked.push({ subject, requests })
    if (this.conduct === 'throws') throw new Error('thrown')
    if (this.conduct === 'rejects') return Promise.reject(new Error('rejected'))
    if (this.conduct === 'answers') {
      return Promise.resolve(this.#memory.decide(subject, requests, now))
    }
    return new Promise((resolve) => {
      this.#kept.push(() => resolve(this.#memory.decide(subject, requests, now)))
    })
  }

  decideSync(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
  ): readonly Verdict[] | undefined {
    if (this.conduct === 'throws') throw new Error('thrown')
    return this.conduct === 'answers' ? this.#memory.decide(subject, requests, now) : undefined
  }

  /** Answers what was kept, late. */
  answerKept(): void {
    for (const answer of this.#kept.splice(0)) answer()
  }
}
