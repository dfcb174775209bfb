import { ServerResponse } from 'node:http'
import { createRecordings, type Recorder } from '@tidegate/events'
import { describe, expect, it } from 'vitest'
import type { AnswerHead } from '../answers/answer-head.ts'
import { orSpare } from './spare.ts'

function record(): Recorder<AnswerHead> {
  const claim = createRecordings<AnswerHead>().claim('a')
  if (claim instanceof Promise || claim.role !== 'recorder') throw new Error('not a recorder')
  return claim.recorder
}

const headOf = (status: number): AnswerHead => ({
  ...{ status, message: undefined, headers: [], upstream: 'up', attempts: 1, stream: false },
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const clientOf = (): ServerResponse =>
  new ServerResponse({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 } as never)

describe('orSpare', () => {
  it.each([
    [200, false],
    [404, false],
    [429, true],
    [503, true],
  ])('takes the kept answer in place of %d: %s', async (status, isBetter) => {
    const recorder = record()
    const asked = orSpare(recorder.recording, clientOf())
    recorder.head(headOf(status))
    expect(await asked).toBe(isBetter)
    expect(await orSpare(recorder.recording, undefined)).toBe(isBetter)
  })

  it('takes the kept answer where none can be had', async () => {
    const recorder = record()
    const asked = orSpare(recorder.recording, clientOf())
    recorder.fail('unreachable')
    expect(await asked).toBe(true)
    expect(await orSpare(recorder.recording, undefined)).toBe(true)
  })

  it('gives the call up with the client who waits, and has nothing to do with that client later', async () => {
    const recorder = record()
    let abandoned = 0
    recorder.listen({
      onDrain: () => {},
      onAbandoned: () => {
        abandoned += 1
      },
    })
    const client = clientOf()
    const asked = orSpare(recorder.recording, client)
    await turn()
    expect(abandoned).toBe(0)
    client.emit('close')
    expect(await asked).toBe(false)
    await turn()
    expect([abandoned, client.listenerCount('close')]).toEqual([1, 0])
  })

  it('begins nothing for a client that has left already, and goes on where the answer is wanted in any case', async () => {
    const left = record()
    const client = clientOf()
    client.destroy()
    expect(await orSpare(left.recording, client)).toBe(false)
    await turn()
    expect(left.recording.state).toBe('failed')

    const wanted = record()
    const asked = orSpare(wanted.recording, undefined)
    await turn()
    expect(wanted.recording.state).toBe('open')
    wanted.head(headOf(200))
    expect(await asked).toBe(false)
  })
})
