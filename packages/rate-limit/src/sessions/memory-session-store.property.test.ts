import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memorySessionStore } from './memory-session-store.ts'

const LIMIT = 3
const TTL = 1_000

/** What has to hold, told from the answers alone: when each session was let in last, and ended. */
class Ledger {
  readonly #seen = new Map<string, number>()
  readonly #ended = new Map<string, number>()

  open(now: number): string[] {
    return [...this.#seen].filter(([, at]) => now < at + TTL).map(([handle]) => handle)
  }

  isEnded(handle: string, now: number): boolean {
    return now < (this.#ended.get(handle) ?? Number.NEGATIVE_INFINITY) + TTL
  }

  /** When fewer than the limit are open, if nobody comes. */
  firstLapse(now: number): number {
    return Math.min(...this.open(now).map((handle) => (this.#seen.get(handle) ?? 0) + TTL)) - now
  }

  letIn(handle: string, now: number): void {
    this.#seen.set(handle, now)
  }

  end(handle: string, now: number): void {
    this.#seen.delete(handle)
    this.#ended.set(handle, now)
  }
}

describe('memorySessionStore', () => {
  const step = fc.record({
    ms: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 700 })),
    ends: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    handle: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  })

  it('lets in whoever has a place, nobody else, and nobody who was ended', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const store = memorySessionStore()
        const ledger = new Ledger()
        let now = 1_800_000_000_000
        for (const { ms, ends, handle } of steps) {
          now += ms
          const open = ledger.open(now)
          if (ends) {
            const ended = store.end('ada', handle, TTL, now)
            expect(ended.length).toBe(open.includes(handle) ? 1 : 0)
            if (ended.length > 0) ledger.end(handle, now)
            continue
          }
          const touch = { handle, client: undefined, ttlMs: TTL, limit: LIMIT }
          const answer = store.touch('ada', touch, now)
          const fits = open.includes(handle) || open.length < LIMIT
          if (ledger.isEnded(handle, now)) {
            expect(answer).toMatchObject({ allowed: false, reason: 'ended' })
          } else if (fits) {
            expect(answer).toMatchObject({ allowed: true, opened: !open.includes(handle) })
            ledger.letIn(handle, now)
          } else {
            const retryAfterMs = ledger.firstLapse(now)
            expect(answer).toMatchObject({ reason: 'limit', active: LIMIT, retryAfterMs })
          }
          const listed = store.list('ada', now).map((session) => session.handle)
          expect(listed.sort()).toEqual(ledger.open(now).sort())
        }
      }),
      { numRuns: 300 },
    )
  })
})
