import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokenRequest } from './estimate.ts'
import { tokensToReserve } from './reservation.ts'

const estimateOf = (
  asked: unknown,
  endpoint: Parameters<typeof tokenRequest>[0] = 'completions',
): ReturnType<typeof tokenRequest>['estimate'] =>
  tokenRequest(endpoint, Buffer.from(JSON.stringify(asked)), 'application/json').estimate

const said = (content: unknown): object => ({ messages: [{ role: 'user', content }] })

/** What the message itself takes: `role`, `user` and `content`. */
const FRAME = 15

describe('the input of a request', () => {
  it('is a token for every four bytes of the prompt, rounded up, and at least one', () => {
    expect(estimateOf({ prompt: 'abcde' }).input).toBe(2)
    expect(estimateOf({ prompt: '' }).input).toBe(1)
    expect(estimateOf(said('x'.repeat(41 - FRAME))).input).toBe(11)
  })

  it('counts UTF-8, however the body escapes it', () => {
    const plain = Buffer.from('{"prompt":"žluťoučký"}')
    const escaped = Buffer.from('{"prompt":"\\u017elu\\u0165ou\\u010dk\\u00fd"}')
    const [one, other] = [plain, escaped].map((body) => tokenRequest('completions', body).estimate)
    expect(one).toEqual(other)
    expect(one?.input).toBe(4)
  })

  it('counts token ids as tokens', () => {
    expect(estimateOf({ input: [[1, 2, 3], [40_000]] }, 'input').input).toBe(4)
  })

  it('includes tools, instructions and schemas, but not what steers the request', () => {
    const tools = [{ name: 'look', input_schema: { type: 'object' } }]
    expect(estimateOf({ tools }).input).toBeGreaterThan(5)
    expect(estimateOf({ system: 'abcd', instructions: 'abcd', suffix: 'abcd' }).input).toBe(3)
    expect(estimateOf({ model: 'm'.repeat(100), user: 'u'.repeat(100), stop: ['s'] }).input).toBe(1)
  })

  it.each([
    ['image_url', { image_url: { url: `data:image/png;base64,${'A'.repeat(100_000)}` } }],
    ['image', { source: { type: 'base64', data: 'A'.repeat(100_000) } }],
    ['input_image', { image_url: 'https://example.test/cat.png' }],
    ['input_audio', { input_audio: { data: 'A'.repeat(100_000), format: 'wav' } }],
    ['file', { file: { file_data: 'A'.repeat(100_000) } }],
    ['document', { source: { type: 'base64', data: 'A'.repeat(100_000) } }],
    ['anything', { data: `data:video/mp4;base64,${'A'.repeat(100_000)}` }],
  ])('counts a part of the type %s as 1,000 tokens however large it is', (type, rest) => {
    const { input } = estimateOf(said([{ type, ...rest }]))
    expect(input).toBeGreaterThanOrEqual(1000)
    expect(input).toBeLessThan(1020)
  })

  it('takes no prompt for a file that only begins or calls itself like one', () => {
    const words = 'some words '.repeat(4000)
    expect(estimateOf(said(`data:text/plain,${words}`)).input).toBeGreaterThan(10_000)
    expect(estimateOf(said(`data: ${words}`)).input).toBeGreaterThan(10_000)
    const message = { role: 'user', type: 'image', content: words }
    expect(estimateOf({ messages: [message] }).input).toBeGreaterThan(10_000)
  })

  it('reads a document that is text', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'x'.repeat(40_000) }
    expect(estimateOf(said([{ type: 'document', source }]), 'messages').input).toBeGreaterThan(
      10_000,
    )
  })

  it('is the bytes of a body that is no JSON object, and one file where it is said to be', () => {
    const estimate = (text: string, type: string) =>
      tokenRequest('input', Buffer.from(text), type).estimate.input
    expect(estimate('x'.repeat(400), 'text/plain')).toBe(100)
    expect(estimate('{"prompt":', 'application/json')).toBe(3)
    expect(estimate('[1,2,3,4]', 'application/json')).toBe(3)
    expect(estimate('x'.repeat(400_000), 'multipart/form-data; boundary=b')).toBe(1000)
    expect(estimate('x'.repeat(400_000), 'audio/mpeg')).toBe(1000)
  })

  it('takes no prompt for a file because its type says so', () => {
    const body = Buffer.from(
      JSON.stringify({ input: 'x'.repeat(400_000), prompt: '', stream: true }),
    )
    expect(tokenRequest('input', body, 'image/png').estimate.input).toBe(100_000)
    const asked = tokenRequest('completions', body, 'multipart/form-data; boundary=b')
    expect(asked).toMatchObject({ estimate: { input: 100_000 }, usageUnasked: true })
    const text = Buffer.from('x'.repeat(400_000))
    expect(tokenRequest('messages', text, 'audio/mpeg').estimate.input).toBe(100_000)
  })

  it('passes over a byte order mark', () => {
    const body = Buffer.from('\uFEFF{"prompt":"abcd","max_tokens":7}')
    expect(tokenRequest('completions', body).estimate).toEqual({
      input: 1,
      output: 7,
      limited: true,
    })
  })

  it('takes whatever nests however deep', () => {
    const deep = `{"messages":${'['.repeat(200_000)}"abcd"${']'.repeat(200_000)}}`
    expect(tokenRequest('completions', Buffer.from(deep)).estimate.input).toBe(1)
  })
})

describe('the output of a request', () => {
  it.each([
    [{ max_tokens: 50 }, 50],
    [{ max_completion_tokens: 60, max_tokens: 50 }, 60],
    [{ max_output_tokens: 70 }, 70],
    [{ max_completion_tokens: 1, max_output_tokens: 2, max_tokens: 50 }, 50],
    [{ max_tokens: 50, n: 3 }, 150],
    [{ max_tokens: 10.5 }, 11],
  ])('is what %o allows', (asked, output) => {
    expect(estimateOf(asked)).toMatchObject({ output, limited: true })
  })

  it.each([
    {},
    { max_tokens: null },
    { max_tokens: -5 },
    { max_tokens: 0 },
    { max_tokens: '100' },
    { n: 8 },
  ])('is 1,000 tokens where %o names no limit', (asked) => {
    expect(estimateOf(asked)).toMatchObject({ output: 1000, limited: false })
  })

  it('stays a number that can be counted with', () => {
    expect(estimateOf({ max_tokens: 1e300, n: 1e300 }).output).toBe(1_000_000_000)
  })

  it('is nothing where nothing is generated', () => {
    expect(estimateOf({ input: 'abcd', max_tokens: 9 }, 'input')).toEqual({
      input: 1,
      output: 0,
      limited: true,
    })
  })

  it('never makes an estimate that is no whole number from 0', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), fc.json(), (messages, most, n) => {
        const text = `{"messages":${messages},"max_tokens":${most},"n":${n}}`
        const { input, output } = tokenRequest('completions', Buffer.from(text)).estimate
        expect(Number.isSafeInteger(input + output) && input >= 0 && output > 0).toBe(true)
      }),
    )
  })
})

describe('usageUnasked', () => {
  const isUnasked = (asked: object, endpoint: Parameters<typeof tokenRequest>[0] = 'completions') =>
    tokenRequest(endpoint, Buffer.from(JSON.stringify(asked))).usageUnasked

  it('is a stream of completions whose client did not ask', () => {
    expect(isUnasked({ stream: true })).toBe(true)
    expect(isUnasked({ stream: true, stream_options: null })).toBe(true)
    expect(isUnasked({ stream: true, stream_options: { include_usage: false } })).toBe(true)
    expect(isUnasked({ stream: true, stream_options: { include_usage: true } })).toBe(false)
    expect(isUnasked({ stream: false })).toBe(false)
    expect(isUnasked({ stream: 'true' })).toBe(false)
    expect(isUnasked({ stream: true }, 'responses')).toBe(false)
    expect(isUnasked({ stream: true }, 'messages')).toBe(false)
  })
})

describe('background', () => {
  it('is a response that is made after its answer', () => {
    const isBackground = (background: unknown, endpoint: Parameters<typeof tokenRequest>[0]) =>
      tokenRequest(endpoint, Buffer.from(JSON.stringify({ background }))).background
    expect(isBackground(true, 'responses')).toBe(true)
    expect(isBackground(false, 'responses')).toBe(false)
    expect(isBackground(true, 'completions')).toBe(false)
  })
})

describe('tokensToReserve', () => {
  it('is the whole estimate, where the request limits its output even what never fits', () => {
    expect(tokensToReserve({ input: 10, output: 20, limited: true }, 1000)).toBe(30)
    expect(tokensToReserve({ input: 10, output: 2000, limited: true }, 1000)).toBe(2010)
  })

  it('refuses nobody for an output that was not limited', () => {
    expect(tokensToReserve({ input: 10, output: 1000, limited: false }, 5000)).toBe(1010)
    expect(tokensToReserve({ input: 10, output: 1000, limited: false }, 500)).toBe(500)
    expect(tokensToReserve({ input: 600, output: 1000, limited: false }, 500)).toBe(600)
  })
})
