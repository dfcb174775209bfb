import { describe, expect, it } from 'vitest'
import { CheckError } from './check.ts'
import { faultOf } from './fault.ts'

describe('faultOf', () => {
  it('shows all of a CheckError, and of others the nearest code', () => {
    expect(faultOf(new CheckError('full', 'It is full.'))).toEqual({
      ...{ code: 'full', message: 'It is full.' },
    })
    const coded = Object.assign(new Error('hunter2'), { code: 'E_SOME' })
    expect(faultOf(new TypeError('hunter2', { cause: coded }))).toEqual({
      ...{ code: 'E_SOME', message: 'The check failed with the code E_SOME.' },
    })
  })

  it('shows nothing of what has no code, or one that is none', () => {
    const around: { cause?: unknown } = {}
    around.cause = around
    const odd = [new Error('hunter2'), 'hunter2', null, { code: 7 }, { code: 'sk-hunter2' }, around]
    for (const thrown of odd) expect(faultOf(thrown).code).toBe('failed')
  })
})
