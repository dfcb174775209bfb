import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../upstreams/endpoint.ts'
import type { TokenEndpoint } from './endpoints.ts'
import { TokenMeter } from './token-meter.ts'

const UPSTREAM = {} as Endpoint

const meterOf = (endpoint: TokenEndpoint, output?: number, background = false): TokenMeter =>
  new TokenMeter({
    endpoint,
    estimate: { input: 100, output: output ?? 1000, limited: output !== undefined },
    usageUnasked: false,
    background,
  })

const chat = (content: string): Buffer =>
  Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`)

const USAGE = Buffer.from('{"usage":{"prompt_tokens":7,"completion_tokens":5}}')

const MESSAGE_START = Buffer.from(
  'data: {"message":{"usage":{"input_tokens":25,"output_tokens":1}}}\n\n',
)
const words = (text: string): Buffer => Buffer.from(`data: {"delta":{"text":"${text}"}}\n\n`)

describe('TokenMeter', () => {
  it('counts what is reported of an answer that is whole', () => {
    const meter = meterOf('completions')
    const answer = meter.begin(UPSTREAM, false)
    answer.push(USAGE)
    answer.complete = true
    expect(meter.usage).toEqual({ input: 7, output: 5, total: 12, estimated: false })
  })

  it('counts nothing before an answer, of a failure, or of an answer that was taken back', () => {
    const meter = meterOf('completions')
    expect(meter.usage).toBeUndefined()
    meter.begin(UPSTREAM, true).events(chat('words that nobody got'))
    meter.takeBack()
    expect(meter.usage).toBeUndefined()
    meter.begin(UPSTREAM, true)
    expect(meter.usage).toBeUndefined()
  })

  it('counts what an attempt reported that was given up, beside the answer', () => {
    const meter = meterOf('messages')
    meter.begin(UPSTREAM, true).events(MESSAGE_START)
    meter.takeBack()
    expect(meter.usage).toEqual({ input: 25, output: 1, total: 26, estimated: false })
    const answer = meter.begin(UPSTREAM, true)
    answer.events(MESSAGE_START)
    answer.events(Buffer.from('data: {"usage":{"output_tokens":9}}\n\n'))
    answer.complete = true
    expect(meter.usage).toEqual({ input: 50, output: 10, total: 60, estimated: false })
  })

  it('estimates a stream that broke, with what Anthropic says at its beginning', () => {
    const meter = meterOf('messages')
    const answer = meter.begin(UPSTREAM, true)
    answer.events(MESSAGE_START)
    answer.events(words('x'.repeat(40)))
    expect(meter.usage).toEqual({ input: 25, output: 10, total: 35, estimated: true })
  })

  it('estimates a stream that broke before it told anything', () => {
    const meter = meterOf('completions')
    meter.begin(UPSTREAM, true).events(chat('x'.repeat(41)))
    expect(meter.usage).toEqual({ input: 100, output: 11, total: 111, estimated: true })
  })

  it('does not let a broken stream cost more than the request allows', () => {
    const meter = meterOf('completions', 5)
    meter.begin(UPSTREAM, true).events(chat('x'.repeat(400)))
    expect(meter.usage).toMatchObject({ output: 5, estimated: true })
  })

  it('counts the words all the same where the provider goes by another limit', () => {
    const meter = meterOf('completions', 5)
    meter.begin(UPSTREAM, true).events(chat('x'.repeat(4000)))
    expect(meter.usage).toMatchObject({ output: 1000, estimated: true })
  })

  it('counts what is made in the background as it was held, whatever its first answer says', () => {
    const meter = meterOf('responses', 700, true)
    const answer = meter.begin(UPSTREAM, false)
    answer.push(Buffer.from('{"usage":null,"tools":[{"usage":{"output_tokens":0}}]}'))
    answer.complete = true
    expect(meter.usage).toEqual({ input: 100, output: 700, total: 800, estimated: true })
  })

  it('counts a background stream as reported if it was heard to its end', () => {
    const meter = meterOf('responses', 700, true)
    const answer = meter.begin(UPSTREAM, true)
    answer.events(Buffer.from('data: {"delta":"words"}\n\n'))
    expect(meter.usage).toMatchObject({ output: 700, estimated: true })
    answer.events(Buffer.from('data: {"usage":{"input_tokens":9,"output_tokens":4}}\n\n'))
    answer.complete = true
    expect(meter.usage).toEqual({ input: 9, output: 4, total: 13, estimated: false })
  })

  it('estimates the output where only the input is reported', () => {
    const meter = meterOf('completions')
    const answer = meter.begin(UPSTREAM, true)
    answer.events(chat('x'.repeat(40)))
    answer.events(Buffer.from('data: {"usage":{"prompt_tokens":9}}\n\n'))
    answer.complete = true
    expect(meter.usage).toEqual({ input: 9, output: 10, total: 19, estimated: true })
  })

  it('does not take the nothing for the input that some say at first', () => {
    const meter = meterOf('messages')
    const zero = Buffer.from('data: {"message":{"usage":{"input_tokens":0}}}\n\n')
    meter.begin(UPSTREAM, true).events(zero)
    expect(meter.usage).toMatchObject({ input: 100, estimated: true })
  })

  it('does not take a usage told early for the whole of a stream that broke', () => {
    const meter = meterOf('completions')
    const answer = meter.begin(UPSTREAM, true)
    answer.events(Buffer.from('data: {"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'))
    answer.events(chat('x'.repeat(400)))
    expect(meter.usage).toEqual({ input: 100, output: 100, total: 200, estimated: true })
  })

  it('estimates a whole answer of a provider that tells nothing', () => {
    const plain = meterOf('completions')
    const body = plain.begin(UPSTREAM, false)
    body.push(Buffer.alloc(80, ' '))
    body.complete = true
    expect(plain.usage).toEqual({ input: 100, output: 20, total: 120, estimated: true })

    const streamed = meterOf('completions')
    streamed.begin(UPSTREAM, true).complete = true
    expect(streamed.usage).toEqual({ input: 100, output: 0, total: 100, estimated: true })
  })

  it('counts the input alone where nothing is generated', () => {
    const meter = meterOf('input', 0)
    const answer = meter.begin(UPSTREAM, false)
    answer.push(Buffer.alloc(8000, ' '))
    answer.complete = true
    expect(meter.usage).toEqual({ input: 100, output: 0, total: 100, estimated: true })
  })

  it('reads the rest of a total as output where only the total is told', () => {
    const meter = meterOf('input', 0)
    const answer = meter.begin(UPSTREAM, false)
    answer.push(Buffer.from('{"usage":{"prompt_tokens":9,"total_tokens":9}}'))
    answer.complete = true
    expect(meter.usage).toEqual({ input: 9, output: 0, total: 9, estimated: false })
  })

  it('counts the input of a request that its client left to itself', () => {
    const meter = meterOf('completions')
    meter.abandon()
    expect(meter.usage).toEqual({ input: 100, output: 0, total: 100, estimated: true })
  })

  it('charges a share of what another call used in place of its own', () => {
    const used = { input: 105, output: 95, total: 205, estimated: false }
    const meter = meterOf('completions')
    meter.chargeShare(0.1, used)
    expect(meter.usage).toEqual({ input: 10, output: 9, total: 20, estimated: false })
    meter.chargeShare(0, used)
    expect(meter.usage).toBeUndefined()
    meter.chargeShare(0.5, undefined)
    expect(meter.usage).toBeUndefined()
    expect(meter.until).toBeUndefined()
  })

  it('waits for what another call will have used, or takes a share of its own estimate', async () => {
    const meter = meterOf('completions', 50)
    const used = { input: 10, output: 30, total: 40, estimated: false }
    meter.chargeShareLater(0.5, Promise.resolve(used))
    expect(meter.usage).toEqual({ input: 50, output: 25, total: 75, estimated: true })
    await meter.until
    expect(meter.usage).toEqual({ input: 5, output: 15, total: 20, estimated: false })
    const elsewhere = meterOf('completions', 50)
    elsewhere.chargeShareLater(0.5, undefined)
    expect([elsewhere.until, elsewhere.usage?.total]).toEqual([undefined, 75])
  })
})
