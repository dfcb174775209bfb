import { describe, expect, it } from 'vitest'
import { boolean, choice, notBuiltYet, offOr } from './choices.ts'
import { duration } from './duration.ts'

describe('boolean', () => {
  it.each([true, 'true', 'TRUE', 'yes', 'on', '1', 1, ' enabled '])(
    'takes %j for yes',
    (written) => {
      expect(boolean().parse(written)).toBe(true)
    },
  )

  it.each([false, 'false', 'False', 'no', 'off', '0', 0, 'disabled'])(
    'takes %j for no',
    (written) => {
      expect(boolean().parse(written)).toBe(false)
    },
  )

  it.each(['', 'maybe', 2, null, [], {}])('refuses %j', (written) => {
    expect(boolean().safeParse(written).error?.issues[0]?.message).toBe('expected true or false')
  })
})

describe('choice', () => {
  it('takes one of its words exactly', () => {
    const level = choice(['info', 'warn'])
    expect(level.parse('warn')).toBe('warn')
    expect(level.safeParse('Warn').error?.issues[0]?.message).toBe('expected info or warn')
    expect(level.safeParse(1).success).toBe(false)
  })
})

describe('offOr', () => {
  it('makes off and false undefined', () => {
    expect(['off', 'OFF', false, 'false'].map((off) => offOr(duration()).parse(off))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('takes else what its schema takes', () => {
    expect(offOr(duration()).parse('5s')).toBe(5000)
    expect(offOr(duration()).safeParse('never').success).toBe(false)
  })
})

describe('notBuiltYet', () => {
  it('may be left out or switched off', () => {
    const key = notBuiltYet({ capability: 'hedging', off: ['off', false, {}] })
    expect([undefined, 'off', false, {}].map((written) => key.parse(written))).toEqual(
      Array(4).fill(undefined),
    )
    expect(key.parse('false')).toBeUndefined()
  })

  it('says what is not built yet for any other value', () => {
    const key = notBuiltYet({ capability: 'hedging' })
    for (const written of [true, 0, 'on', null, { after: '5s' }, ['off']]) {
      expect(key.safeParse(written).error?.issues[0]?.message).toBe(
        'hedging is not built yet; leave it out or set it to off',
      )
    }
  })
})
