import { describe, expect, it } from 'vitest'
import type { Protocol } from '../config/settings.ts'
import { SseScanner } from './sse-scanner.ts'
import { type BreakCode, streamError } from './stream-error.ts'
import { terminalMarker } from './terminal-markers.ts'

const delivered = { events: 12, bytes: 3456 }
const facts = { request_id: 'req-1', delivered }

function dataOf(protocol: Protocol, path: string, code: BreakCode = 'stream_interrupted'): object {
  const event = streamError(protocol, path, { code, upstream: 'up', requestId: 'req-1', delivered })
  return JSON.parse(event.slice(event.indexOf('data: ') + 6)) as object
}

const ends = [
  ['openai', '/v1/chat/completions', true],
  ['openai', '/v1/completions', true],
  ['openai', '/v1/audio/transcriptions', true],
  ['openai', '/v1/responses', false],
  ['openai', '/v1/threads/runs', false],
  ['anthropic', '/v1/messages', true],
  ['anthropic', '/v1/agents/run', false],
] as const

describe('streamError', () => {
  it.each(ends)(
    'on %s %s says what was delivered, and %s for whether a retry is safe',
    (...end) => {
      const [protocol, path, safe] = end
      expect(dataOf(protocol, path)).toMatchObject({ ...facts, retry_safe: safe })
    },
  )

  it.each(ends)('on %s %s tells people the same', (protocol, path, safe) => {
    const words = JSON.stringify(dataOf(protocol, path))
    expect(words).toContain(safe ? 'discard it and retry.' : 'retry if a repeat does no harm.')
  })

  it.each(ends)('on %s %s is one whole event that ends the stream badly', (protocol, path) => {
    const fault = { code: 'stream_idle', upstream: 'up', requestId: 'req-1', delivered } as const
    const scanner = new SseScanner(terminalMarker(path))
    const event = Buffer.from(streamError(protocol, path, fault))
    expect(scanner.push(event)).toBe(event)
    expect(scanner).toMatchObject({ events: 1, malformed: 0 })
    if (terminalMarker(path) !== undefined) expect(scanner.ending).toBe('failed')
  })

  it('puts the facts where OpenAI’s exception shows them', () => {
    expect(dataOf('openai', '/v1/chat/completions')).toMatchObject({
      error: { code: 'stream_interrupted', type: 'upstream_error', ...facts, retry_safe: true },
    })
  })

  it('has the form of an error event of the Responses API', () => {
    expect(dataOf('openai', '/v1/responses', 'stream_truncated')).toMatchObject({
      type: 'error',
      code: 'stream_truncated',
      param: null,
      message: expect.stringContaining('closing event'),
    })
  })
})
