import { describe, expect, it } from 'vitest'
import type { Protocol } from '../config/settings.ts'
import type { AnswerHead } from './answer-head.ts'
import { isWhole } from './whole-answer.ts'

function head(more: Record<string, string> = {}, status = 200, stream = false): AnswerHead {
  const headers = Object.entries({ 'content-type': 'application/json', ...more }).flat()
  return { ...{ status, message: '', headers, upstream: 'up', attempts: 1, stream } }
}

describe('isWhole', () => {
  const of = (
    text: string,
    answer = head(),
    protocol: Protocol = 'openai',
    path = '/v1/embeddings',
  ) => isWhole(answer, Buffer.from(text), protocol, path)

  it('takes JSON that parses from end to end', () => {
    expect(of('{"a":1}')).toBe(true)
    expect(of('{"a":1')).toBe(false)
    expect(of('')).toBe(false)
    expect(of('{"a":1}', head(), 'http')).toBe(true)
    expect(of('{"a":1', head({ 'content-type': 'application/problem+json' }), 'http')).toBe(false)
  })

  it('takes nothing that says with a 200 that it went wrong', () => {
    expect(of('{"error":{"message":"overloaded"}}')).toBe(false)
    expect(of('{"type":"error"}')).toBe(false)
    expect(of('{"status":"failed"}')).toBe(false)
    expect(of('{"error":null}')).toBe(true)
    expect(of('{"error":"a field of theirs"}', head(), 'http')).toBe(true)
  })

  it('takes a stream whose protocol says when it is over', () => {
    const stream = head({ 'content-type': 'text/event-stream' }, 200, true)
    expect(of('data: [DONE]\n\n', stream, 'openai', '/v1/chat/completions')).toBe(true)
    expect(of('data: [DONE]\n\n', stream, 'openai', '/v1/other')).toBe(false)
    const plain = head({ 'content-type': 'text/event-stream' })
    expect(of('data: 1\n\n', plain, 'http', '/events')).toBe(false)
  })

  it('takes nothing that it can not read', () => {
    expect(of('x', head({ 'content-encoding': 'gzip' }), 'http')).toBe(false)
    expect(of('<html>', head({ 'content-type': 'text/html' }))).toBe(false)
    expect(of('<html>', head({ 'content-type': 'text/html' }), 'http')).toBe(true)
  })
})
