import { describe, expect, it } from 'vitest'
import { limiterKey } from '../core/limiter-key.ts'
import { fixedWindow, tokenBucket } from '../core/rules.ts'
import { LimiterKeys } from './limiter-keys.ts'

const bucket = { policy: 'bucket', rule: tokenBucket({ limit: 3, windowMs: 1_000 }) }
const fixed = { policy: 'fixed', rule: fixedWindow({ limit: 3, windowMs: 1_000 }) }

describe('LimiterKeys', () => {
  it('gives the keys of limiterKey, however often and for however many', () => {
    const keys = new LimiterKeys('app', 4)
    const subjects = ['ada', 'eve', '', 'x'.repeat(300), '__proto__', 'ada']
    for (let round = 0; round < 5; round += 1) {
      for (const subject of [...subjects, `new-${round}`]) {
        for (const limit of [bucket, fixed]) {
          expect(keys.of(subject, limit)).toBe(limiterKey(subject, limit, 'app'))
        }
      }
    }
  })

  it('takes the default prefix', () => {
    expect(new LimiterKeys(undefined).of('ada', bucket)).toBe(limiterKey('ada', bucket))
  })
})
