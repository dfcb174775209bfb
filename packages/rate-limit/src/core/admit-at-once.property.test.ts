import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRateLimiter } from './rate-limiter.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from './rules.ts'

const policies = {
  bucket: tokenBucket({ limit: 3, windowMs: 1_000 }),
  sliding: slidingWindow({ limit: 3, windowMs: 1_000 }),
  fixed: fixedWindow({ limit: 3, windowMs: 1_000 }),
  watched: tokenBucket({ limit: 1, windowMs: 1_000, shadow: true }),
  tokens: budget({ limit: 3, windowMs: 1_000 }),
  slots: concurrency({ limit: 2, ttlMs: 500 }),
}

type Policy = keyof typeof policies

const policy = fc.constantFrom(...(Object.keys(policies) as Policy[]))

const requests = fc.oneof(
  { weight: 6, arbitrary: policy },
  { weight: 3, arbitrary: policy.map((name) => [name]) },
  { weight: 1, arbitrary: fc.uniqueArray(policy, { minLength: 2, maxLength: 3 }) },
)

const step = fc.record({
  wait: fc.nat(300),
  asks: fc
    .uniqueArray(fc.constantFrom('ada', 'bob', 'eve'), { minLength: 1, maxLength: 3 })
    .chain((subjects) =>
      fc.tuple(
        ...subjects.map((subject) => requests.map((asked) => ({ subject, requests: asked }))),
      ),
    ),
})

describe('an acquisition at once', () => {
  it('says and leaves behind what one in order does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        let clock = 1_800_000_000_000
        const now = () => clock
        const [quick, careful] = [
          createRateLimiter({ policies, now }),
          // Whoever wants to be told of each decision takes the long way.
          createRateLimiter({ policies, now, onDecision: () => undefined }),
        ]
        for (const { wait, asks } of steps) {
          clock += wait
          const [one, other] = [await quick.acquireAll(asks), await careful.acquireAll(asks)]
          const { lease: _, ...told } = one
          const { lease: __, ...expected } = other
          expect(told).toEqual(expected)
          for (const name of Object.keys(policies) as Policy[]) {
            expect(await quick.peek(name, 'ada')).toEqual(await careful.peek(name, 'ada'))
          }
        }
      }),
    )
  })
})
