import { createRecordings, type Recorder } from '@tidegate/events'
import { describe, expect, it } from 'vitest'
import type { AnswerHead } from '../answers/answer-head.ts'
import { KeyedRecorder } from './keyed-recorder.ts'
import { passOn } from './passing-on.ts'

const recordings = createRecordings<AnswerHead>()
let count = 0

function record(options = {}): { name: string; recorder: Recorder<AnswerHead> } {
  count += 1
  const name = `recording ${count}`
  const claim = recordings.claim(name, { keepMs: 60_000, persist: true, ...options })
  if (claim instanceof Promise || claim.role !== 'recorder') throw new Error('nothing to record')
  return { name, recorder: claim.recorder }
}

function headOf(status: number, headers: readonly string[] = []): AnswerHead {
  return { status, headers, message: undefined, upstream: 'u', attempts: 1, stream: false }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('passOn', () => {
  it('records what has come and what comes', async () => {
    const [from, to] = [record().recorder, record().recorder]
    from.head(headOf(200))
    from.push(Buffer.from('one '))
    passOn(from.recording, to)
    await turn()
    from.push(Buffer.from('two'))
    from.end()
    expect(Buffer.from(to.recording.whole() ?? '').toString()).toBe('one two')
    expect(to.recording.head).toBe(from.recording.head)
  })

  it('tells of the fault that ended it', async () => {
    const [from, to] = [record().recorder, record().recorder]
    passOn(from.recording, to)
    const faults: unknown[] = []
    to.recording.follow({
      ...{ onHead: () => {}, onData: () => true, onEnd: () => {} },
      onFail: (fault) => faults.push(fault.cause),
    })
    await turn()
    from.fail('the reason')
    expect(faults).toEqual(['the reason'])
    expect(to.recording.state).toBe('failed')
  })

  it('keeps the pace of its readers, and goes on without them', async () => {
    const from = record({ persist: false }).recorder
    const to = record().recorder
    let taken = 0
    passOn(from.recording, to)
    const following = to.recording.follow({
      ...{ onHead: () => {}, onEnd: () => {}, onFail: () => {} },
      onData: () => {
        taken += 1
        return false
      },
    })
    await turn()
    from.head(headOf(200))
    from.push(Buffer.from('a'))
    expect([taken, from.push(Buffer.from('b'))]).toEqual([1, false])
    following.resume()
    expect(taken).toBe(2)
    following.leave()
    expect(from.push(Buffer.from('c'))).toBe(true)
    from.end()
    expect(Buffer.from(to.recording.whole() ?? '').toString()).toBe('abc')
  })
})

describe('KeyedRecorder', () => {
  const cases = [
    { head: headOf(200), kept: true },
    { head: headOf(200, ['x-should-retry', 'false']), kept: true },
    { head: headOf(404, ['content-type', 'x-should-retry', 'x-kind', 'true']), kept: true },
    { head: headOf(503), kept: false },
    { head: headOf(400, ['content-type', 'text/plain', 'x-should-retry', 'true']), kept: false },
  ]
  for (const { head, kept } of cases) {
    const what = `${head.status} ${head.headers.join(' ')}`
    it(`${kept ? 'keeps' : 'lets go of'} ${what}, and lets who reads it have it`, async () => {
      const { name, recorder } = record()
      let heard = ''
      const keyed = new KeyedRecorder(recorder, {
        onPassing: async () => {
          await turn()
          heard += 'passing '
        },
        onOver: () => {
          heard += '!'
        },
      })
      keyed.recording.follow({
        onHead: ({ status }) => {
          heard += status
        },
        onData: (chunk) => {
          heard += Buffer.from(chunk).toString()
          return true
        },
        onEnd: () => {
          heard += '.'
        },
        onFail: ({ cause }) => {
          heard += (cause as { kind: string }).kind
        },
      })
      await turn()
      keyed.head(head)
      keyed.push(Buffer.from(' body'))
      keyed.end()
      for (let turns = 0; turns < 3; turns += 1) await turn()
      keyed.fail('too late')
      expect(heard).toBe(kept ? `${head.status} body.!` : `passing ${head.status} bodytold!`)
      const next = await recordings.claim(name, { keepMs: 60_000, persist: true })
      expect(next.role).toBe(kept ? 'reader' : 'recorder')
    })
  }

  it('has its source wait while nobody may be told yet', async () => {
    const { recorder } = record()
    const letGo = Promise.withResolvers<void>()
    const keyed = new KeyedRecorder(recorder, { onPassing: () => letGo.promise, onOver: () => {} })
    let drained = 0
    keyed.listen({ onDrain: () => (drained += 1), onAbandoned: () => {} })
    keyed.head(headOf(503))
    expect([keyed.push(Buffer.from('a')), keyed.recording.head, drained]).toEqual([
      false,
      undefined,
      0,
    ])
    letGo.resolve()
    await turn()
    expect([keyed.recording.head?.status, keyed.recording.bytes, drained]).toEqual([503, 1, 1])
    expect(keyed.push(Buffer.from('b'))).toBe(true)
  })
})
