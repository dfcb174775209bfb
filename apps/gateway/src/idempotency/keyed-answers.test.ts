import { describe, expect, it } from 'vitest'
import { KeyedAnswers, type KeyedClaim } from './keyed-answers.ts'
import type { KeyedRecorder } from './keyed-recorder.ts'

const head = {
  ...{ status: 200, headers: [], message: undefined },
  ...{ upstream: 'u', attempts: 1, stream: false },
}

function recorderOf(claim: KeyedClaim): KeyedRecorder {
  if (claim.role !== 'recorder') throw new Error(`it is ${claim.role}`)
  return claim.recorder
}

describe('KeyedAnswers', () => {
  it('is idle until something is to be answered, and again when all of it is', async () => {
    const answers = new KeyedAnswers()
    await answers.idle()
    const first = recorderOf(await answers.claim('a', 'f', 1000))
    const second = recorderOf(await answers.claim('b', 'f', 1000))
    let idle = false
    const waiting = answers.idle().then(() => {
      idle = true
    })
    first.head(head)
    first.end()
    await new Promise(setImmediate)
    expect(idle).toBe(false)
    second.fail('a fault')
    await waiting
    await answers.idle()
    await answers.close()
  })

  it('is not kept from being idle by those who read', async () => {
    const answers = new KeyedAnswers()
    const recorder = recorderOf(await answers.claim('a', 'f', 1000))
    expect((await answers.claim('a', 'f', 1000)).role).toBe('reader')
    expect((await answers.claim('a', 'g', 1000)).role).toBe('mismatch')
    recorder.head(head)
    recorder.end()
    await answers.idle()
    expect((await answers.claim('a', 'f', 1000)).role).toBe('reader')
    await answers.close()
  })
})
