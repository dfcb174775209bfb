import { createRecordings, encodeRecording, type Recording } from '@tidegate/events'
import { describe, expect, it } from 'vitest'
import type { AnswerHead } from '../answers/answer-head.ts'
import { decodeAnswer, encodeAnswer } from './kept-answer.ts'

const terms = { freshMs: 1, staleMs: 2, errorMs: 3 }
const usage = { input: 1, output: 2, total: 3, estimated: false }

function recorded(headers: readonly string[], isComplete = true): Recording<AnswerHead> {
  const claim = createRecordings<AnswerHead>({ now: () => 5_000 }).claim('a')
  if (claim instanceof Promise || claim.role !== 'recorder') throw new Error('not a recorder')
  const { recorder } = claim
  recorder.head({
    ...{ status: 200, message: 'OK', headers, upstream: 'up', attempts: 1, stream: false },
  })
  recorder.push(Buffer.from('ab'))
  recorder.push(Buffer.from('c'))
  if (isComplete) recorder.end()
  return recorder.recording
}

describe('a kept answer', () => {
  it('is read back with all that is known of it', () => {
    const encoded = encodeAnswer(recorded(['x-a', '1', 'age', '7']), terms, usage)
    const answer = encoded && decodeAnswer(encoded)
    expect(answer).toMatchObject({
      terms,
      usage,
      completedAt: 5_000,
      initialAgeMs: 7_000,
      bytes: 3,
    })
    expect(Buffer.from(answer?.recording.whole() ?? []).toString()).toBe('abc')
    expect(answer?.recording.head?.headers).toEqual(['x-a', '1', 'age', '7'])
  })

  it('is read once for as long as its bytes are kept', () => {
    const encoded = encodeAnswer(recorded([]), terms, undefined) ?? new Uint8Array()
    expect(decodeAnswer(encoded)).toBe(decodeAnswer(encoded))
  })

  it('has nothing that was for the first one alone', () => {
    const names = [
      ...['set-cookie', 'openai-processing-ms', 'server-timing', 'retry-after', 'cf-ray'],
      ...['x-tidegate-upstream-ratelimit-remaining', 'anthropic-ratelimit-tokens-remaining'],
      ...['request-id', 'x-tidegate-upstream-request-id', 'apim-request-id', 'x-amzn-requestid'],
    ]
    const encoded = encodeAnswer(
      recorded([...names.flatMap((name) => [name, '1']), 'x-a', '1']),
      terms,
      usage,
    )
    expect(encoded && decodeAnswer(encoded)?.recording.head?.headers).toEqual(['x-a', '1'])
  })

  it('is none of an answer that is not complete, and not read out of anything else', () => {
    expect(encodeAnswer(recorded([], false), terms, usage)).toBeUndefined()
    expect(decodeAnswer(new Uint8Array(3))).toBeUndefined()
    expect(decodeAnswer(encodeRecording(recorded([])) ?? new Uint8Array())).toBeUndefined()
  })
})
