import { createRecordings, type Recorder } from '@tidegate/events'
import { describe, expect, it } from 'vitest'
import type { AnswerHead } from './answer-head.ts'
import { RecordingOutlet } from './recording-outlet.ts'

const HEAD: AnswerHead = {
  ...{ status: 200, message: 'OK', headers: ['x-a', '1'], stream: true },
  ...{ upstream: 'openai', attempts: 1 },
}

function outlet(name = 'one') {
  const claim = createRecordings<AnswerHead>().claim(name)
  if (claim instanceof Promise || claim.role !== 'recorder') throw new Error('no recorder')
  const told: string[] = []
  const { recorder } = claim
  return { recorder, told, outgoing: new RecordingOutlet(recorder, () => told.push('over')) }
}

const follow = (recorder: Recorder<AnswerHead>, taken: string[], takes = true) =>
  recorder.recording.follow({
    onHead: ({ status }) => void taken.push(String(status)),
    onData: (chunk) => {
      taken.push(Buffer.from(chunk).toString())
      return takes
    },
    onEnd: () => void taken.push('end'),
    onFail: ({ code, cause }) => void taken.push(`${code} ${JSON.stringify(cause)}`),
  })

describe('RecordingOutlet', () => {
  it('records what is written to it, and is over once', async () => {
    const { recorder, told, outgoing } = outlet()
    const taken: string[] = []
    follow(recorder, taken)
    await undefined
    expect(outgoing.headersSent).toBe(false)
    outgoing.sink.begin(HEAD)
    expect(outgoing.headersSent).toBe(true)
    outgoing.write(': comment\n\n')
    outgoing.write(Buffer.from('data: 1\n\n'))
    outgoing.sink.end(Buffer.from('data: 2\n\n'), false)
    outgoing.end()
    outgoing.destroy()
    expect(taken).toEqual(['200', ': comment\n\n', 'data: 1\n\n', 'data: 2\n\n', 'end'])
    expect([outgoing.writableEnded, recorder.recording.state]).toEqual([true, 'complete'])
    expect(told).toEqual(['over'])
  })

  it('asks to be waited for when nobody takes more, and says when somebody does', async () => {
    const { recorder, outgoing } = outlet()
    const taken: string[] = []
    const following = follow(recorder, taken, false)
    await undefined
    outgoing.sink.begin(HEAD)
    expect(outgoing.write('a')).toBe(false)
    outgoing.once('drain', () => taken.push('drain'))
    following.resume()
    expect(taken).toEqual(['200', 'a', 'drain'])
    expect(outgoing.write('b')).toBe(false)
    following.resume()
    expect(taken).toEqual(['200', 'a', 'drain', 'b'])
  })

  it('is closed for its call when the last reader leaves', async () => {
    const { recorder, told, outgoing } = outlet()
    outgoing.prependListener('close', () => told.push('close'))
    const following = follow(recorder, [])
    await undefined
    following.leave()
    expect(told).toEqual(['close', 'over'])
    expect(outgoing.destroyed).toBe(true)
    outgoing.sink.begin(HEAD)
    expect(outgoing.write('late')).toBe(true)
    outgoing.sink.end(undefined, false)
    expect(recorder.recording.state).toBe('failed')
    expect(told).toEqual(['close', 'over'])
  })

  it('tells no listener that has gone', async () => {
    const { recorder, told, outgoing } = outlet()
    const listener = () => void told.push('close')
    outgoing.prependListener('close', listener)
    outgoing.off('close', listener)
    const following = follow(recorder, [])
    following.leave()
    expect(told).toEqual(['over'])
  })

  it('keeps nothing of an answer that says of itself that it failed', async () => {
    const { recorder, outgoing } = outlet()
    const taken: string[] = []
    follow(recorder, taken)
    await undefined
    outgoing.sink.begin(HEAD)
    outgoing.sink.end(Buffer.from('data: {"error":{}}\n\n'), true)
    expect(taken).toEqual(['200', 'data: {"error":{}}\n\n', 'failed {"kind":"told"}'])
    expect(recorder.recording.state).toBe('failed')
  })
})
