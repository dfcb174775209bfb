import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventContent } from '../handlers/content.ts'
import { terminalMarker } from '../upstreams/terminal-markers.ts'
import { AnswerTokens } from './answer-tokens.ts'
import { ExtraChunk } from './extra-chunk.ts'
import type { ReportedUsage } from './usage-scanner.ts'

const USAGE = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 }

const chunk = (fields: object): string => JSON.stringify({ id: 'chatcmpl-1', ...fields })
const said = (content: string, usage: unknown = null): string =>
  chunk({ choices: [{ index: 0, delta: { content } }], usage })

const EXTRA = chunk({ choices: [], usage: USAGE })

const event = (data: string, end = '\n'): string => `data: ${data}${end}${end}`

const without = (text: string): string => new ExtraChunk().removeFrom(Buffer.from(text)).toString()

describe('ExtraChunk', () => {
  it('takes the chunk with a usage and no choices out, and leaves every other byte', () => {
    const [before, after] = [event(said('a')) + event(said('b')), event('[DONE]')]
    expect(without(before + event(EXTRA) + after)).toBe(before + after)
    expect(without(event(EXTRA))).toBe('')
  })

  it.each([
    ['a chunk without choices that tells no usage', chunk({ choices: [], usage: null })],
    ['what Azure sends first', chunk({ choices: [], prompt_filter_results: [] })],
    ['a chunk that tells usage beside its choices', said('a', USAGE)],
    ['words that look like the chunk', said(EXTRA)],
    ['what is no JSON', '{"choices":[],"usage":{'],
    ['choices of something else', JSON.stringify({ other: { choices: [] }, usage: USAGE })],
  ])('leaves %s', (_name, data) => {
    const text = event(said('a')) + event(data) + event('[DONE]')
    expect(without(text)).toBe(text)
  })

  it('knows the chunk with white space, an event name, an id, or over several lines', () => {
    const spaced = JSON.stringify(JSON.parse(EXTRA), null, 1).replaceAll('\n', '\ndata: ')
    const named = `event: chunk\nid: 7\n${event(EXTRA)}`
    expect(without(`${event('1')}${event(spaced)}${named}${event('2')}`)).toBe(
      event('1') + event('2'),
    )
  })

  it('leaves comments, even one right before the chunk', () => {
    expect(without(`: hello\n\n: beat\n${event(EXTRA)}${event('1')}`)).toBe(
      `: hello\n\n: beat\n${event('1')}`,
    )
  })

  it('takes it out of a stream that ends with it', () => {
    expect(without(`${event('1')}data: ${EXTRA}`)).toBe(event('1'))
  })
})

/** What a client gets of a stream that comes in these pieces, and what was told of its tokens. */
function pass(pieces: readonly Buffer[]): { out: string; usage: ReportedUsage | undefined } {
  const tokens = new AnswerTokens('completions', true, true)
  const content = new EventContent(terminalMarker('/v1/chat/completions'), 'off', tokens)
  const out = pieces.flatMap((piece) => content.push(piece) ?? [])
  const rest = content.end()
  if (rest !== 'truncated') out.push(rest)
  return { out: Buffer.concat(out).toString(), usage: tokens.reported }
}

describe('a stream that was asked for its usage', () => {
  it.each([
    ['LF', '\n'],
    ['CR LF', '\r\n'],
    ['CR', '\r'],
  ])('comes out the same, with lines that end with %s, however it is cut', (_name, end) => {
    const head = `: beat${end}${event(said('žluť'), end)}: beat${end}${end}${event(said('"usage"'), end)}`
    const last = event('[DONE]', end)
    const bytes = Buffer.from(head + event(EXTRA, end) + last)
    const places = fc.uniqueArray(fc.nat(bytes.length), { maxLength: 60 })
    fc.assert(
      fc.property(places, (at) => {
        const ends = [...at.toSorted((a, b) => a - b), bytes.length]
        const pieces = ends.map((stop, index) => bytes.subarray(ends[index - 1] ?? 0, stop))
        expect(pass(pieces)).toEqual({
          out: head + last,
          usage: { input: 9, output: 2, total: 11 },
        })
      }),
      { numRuns: 500 },
    )
  })

  it('comes out the same byte by byte', () => {
    const text = event(said('a')) + event(EXTRA) + event('[DONE]')
    const { out, usage } = pass([...Buffer.from(text)].map((byte) => Buffer.of(byte)))
    expect(out).toBe(event(said('a')) + event('[DONE]'))
    expect(usage).toMatchObject({ total: 11 })
  })

  it('passes an event that is too large to be held as it is, whatever is in it', () => {
    const large = `data: {"choices":[{"delta":{"content":"${'x'.repeat(9 * 1024 * 1024)}`
    const pieces = [large, `"}}]}\ndata: ${EXTRA}\n\n`, event(EXTRA), event('[DONE]')]
    const { out } = pass(pieces.map((piece) => Buffer.from(piece)))
    expect(out).toBe([pieces[0], pieces[1], pieces[3]].join(''))
  })
})
