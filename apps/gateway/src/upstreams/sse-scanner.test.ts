import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SseScanner } from './sse-scanner.ts'
import { terminalMarker } from './terminal-markers.ts'

const chat = terminalMarker('/v1/chat/completions')

/** Everything that `scanner` lets through of `chunks`, and what was let through after each. */
function run(scanner: SseScanner, chunks: readonly Buffer[]): { sent: Buffer; steps: Buffer[] } {
  const steps = chunks.map((chunk) => scanner.push(chunk) ?? Buffer.alloc(0))
  return { sent: Buffer.concat(steps), steps }
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length])]
  places.sort((a, b) => a - b)
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end))
}

const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
const event = fc
  .tuple(
    fc.array(fc.stringMatching(/^[a-zé{}": ]{1,12}$/), { minLength: 1, maxLength: 3 }),
    lineEnd,
  )
  .map(([lines, end]) => `${lines.map((line) => `data: ${line}${end}`).join('')}${end}`)

describe('SseScanner', () => {
  it('passes every byte on, whatever the chunks', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1 }), fc.array(fc.nat()), (events, cuts) => {
        const bytes = Buffer.from(events.join(''))
        const scanner = new SseScanner(undefined)
        const { sent } = run(scanner, cut(bytes, cuts))
        expect(Buffer.concat([sent, scanner.rest() ?? Buffer.alloc(0)]).equals(bytes)).toBe(true)
      }),
    )
  })

  it('never stops inside an event', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1 }), fc.array(fc.nat()), (events, cuts) => {
        const bytes = Buffer.from(events.join(''))
        const ends = new Set([0])
        for (let at = 0, i = 0; i < events.length; i += 1) {
          at += Buffer.byteLength(events[i] as string)
          ends.add(at)
          // CR LF ends a line with its CR already: the LF may follow on its own.
          if ((events[i] as string).endsWith('\r\n')) ends.add(at - 1)
        }
        let sent = 0
        for (const step of run(new SseScanner(undefined), cut(bytes, cuts)).steps) {
          sent += step.length
          expect(ends.has(sent)).toBe(true)
        }
      }),
    )
  })

  it('hands a whole event on without waiting and without copying', () => {
    const chunk = Buffer.from('data: {"a":1}\n\n')
    expect(new SseScanner(chat).push(chunk)).toBe(chunk)
  })

  it('does not hold back a heartbeat comment', () => {
    const heartbeat = Buffer.from(': ping\n')
    expect(new SseScanner(chat).push(heartbeat)).toBe(heartbeat)
  })

  it('lets an event that is too large to hold pass in pieces, and says so', () => {
    const scanner = new SseScanner(chat)
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const sent = Array.from({ length: 9 }, () => scanner.push(piece)?.length ?? 0)
    expect(sent.reduce((a, b) => a + b, 0)).toBe(9 * piece.length)
    expect(scanner.midEvent).toBe(true)
    scanner.push(Buffer.from('\n\n'))
    expect(scanner.midEvent).toBe(false)
  })
})

describe('terminal markers', () => {
  const ending = (path: string, text: string): string => {
    const scanner = new SseScanner(terminalMarker(path))
    for (const byte of Buffer.from(text)) scanner.push(Buffer.from([byte]))
    scanner.rest()
    return scanner.ending
  }

  it.each([
    ['/v1/chat/completions', 'data: {"choices":[{"finish_reason":null}]}\n\n', 'open'],
    ['/v1/chat/completions', 'data: {"choices":[{"finish_reason":"stop"}]}\n\n', 'finished'],
    ['/v1/chat/completions', 'data: {"choices":[{"finish_reason": "stop"}]}\n\n', 'finished'],
    ['/v1/chat/completions', 'data: [DONE]\n\n', 'complete'],
    ['/v1/chat/completions', 'data:[DONE]\r\n\r\n', 'complete'],
    ['/v1/chat/completions', 'data: [DONE]', 'complete'],
    ['/v1/chat/completions', 'data: {"delta":{"content":"say [DONE]"}}\n\n', 'open'],
    ['/v1/chat/completions', 'data: {"content":"\\"finish_reason\\":\\"stop\\""}\n\n', 'open'],
    ['/v1/chat/completions', 'data: {"error":{"message":"overloaded"}}\n\n', 'failed'],
    ['/openai/v1/completions', 'data: [DONE]\n\n', 'complete'],
    ['/v1/responses', 'event: response.created\ndata: {"type":"response.created"}\n\n', 'open'],
    ['/v1/responses', 'data: {"type":"response.completed"}\n\n', 'complete'],
    ['/v1/responses', 'event: response.incomplete\ndata: {}\n\n', 'complete'],
    ['/v1/responses', 'event: response.failed\ndata: {"type":"response.failed"}\n\n', 'failed'],
    ['/v1/responses', 'data: {"delta":"response.completed"}\n\n', 'open'],
    ['/v1/messages', 'event: message_stop\ndata: {"type":"message_stop"}\n\n', 'complete'],
    ['/v1/messages', 'event: ping\ndata: {"type": "ping"}\n\n', 'open'],
    ['/v1/messages', 'data: {"text":"message_stop"}\n\n', 'open'],
    ['/v1/messages', 'event: error\ndata: {"type":"error","error":{}}\n\n', 'failed'],
  ])('on %s reads %j as %s', (path, text, expected) => {
    expect(ending(path, text)).toBe(expected)
  })

  it('knows nothing of other endpoints', () => {
    expect(terminalMarker('/v1/agents/run')).toBeUndefined()
  })

  it('calls a stream truncated only where its protocol has a marker and none came', () => {
    const known = new SseScanner(chat)
    known.push(Buffer.from('data: {}\n\n'))
    expect(known.truncated).toBe(true)
    const unknown = new SseScanner(undefined)
    unknown.push(Buffer.from('data: {}\n\n'))
    expect(unknown.truncated).toBe(false)
  })
})
