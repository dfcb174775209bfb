import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRecording, encodeRecording, replay } from './encoded-recording.ts'
import { bytesOf, Listener } from './listener.fixture.ts'
import type { Recorder } from './recording.ts'
import { createRecordings } from './recordings.ts'

function recorder(): Recorder<unknown> {
  let clock = 5_000
  const now = () => {
    clock += 1
    return clock
  }
  const claimed = createRecordings<unknown>({ now }).claim('a')
  if (claimed instanceof Promise || claimed.role !== 'recorder') throw new TypeError('No recorder.')
  return claimed.recorder
}

function encoded(head: unknown, chunks: readonly Uint8Array[]): Uint8Array {
  const { recording, ...made } = recorder()
  made.head(head)
  for (const chunk of chunks) made.push(chunk)
  made.end()
  const bytes = encodeRecording(recording)
  if (bytes === undefined) throw new TypeError('Not encoded.')
  return bytes
}

describe('encodeRecording', () => {
  it('keeps head, bytes and times of any complete recording', async () => {
    const chunk = fc.uint8Array({ maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), fc.json()),
        fc.array(chunk),
        async (head, chunks) => {
          const recording = replay(encoded(head, chunks))
          const reader = new Listener(1).follow(recording ?? fail())
          await turn()
          expect(recording).toMatchObject({ state: 'complete', joinable: true })
          expect([recording?.begunAt, recording?.endedAt]).toEqual([5_001, 5_002])
          expect(reader.head).toEqual({ ...head })
          expect(Buffer.concat(reader.chunks)).toEqual(Buffer.concat(chunks))
          expect(reader.ended).toBe(true)
        },
      ),
    )
  })

  it('has nothing of a recording that is open or failed', () => {
    const { recording, ...made } = recorder()
    made.head({})
    made.push(bytesOf('x'))
    expect(encodeRecording(recording)).toBeUndefined()
    made.fail('broken')
    expect(encodeRecording(recording)).toBeUndefined()
  })
})

describe('replay', () => {
  it('does not copy the body', async () => {
    const bytes = encoded({ status: 200 }, [bytesOf('one '), bytesOf('two')])
    const recording = replay(bytes) ?? fail()
    const body = recording.whole()
    expect(body?.buffer).toBe(bytes.buffer)
    const readers = [new Listener().follow(recording), new Listener().follow(recording)]
    await turn()
    for (const { chunks } of readers) expect(chunks).toEqual([body])
    readers[0]?.place?.leave()
    expect(recording.state).toBe('complete')
  })

  it('takes what it cannot read for nothing', () => {
    const bytes = encoded({ status: 200 }, [bytesOf('body')])
    const other = Uint8Array.from(bytes)
    other[3] = 2
    expect(replay(other)).toBeUndefined()
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodeRecording(bytes.subarray(0, length))).toBeUndefined()
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(replay(noise)).toBeUndefined()
        expect(() => decodeRecording(Buffer.concat([bytes.subarray(0, 4), noise]))).not.toThrow()
      }),
    )
  })
})

function fail(): never {
  throw new TypeError('Not a recording.')
}
