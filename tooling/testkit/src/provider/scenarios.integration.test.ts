import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RawExchange, rawRequest } from '../net/raw-request.ts'
import { faultHeader } from './fault-spec.ts'
import { type Provider, startProvider } from './provider.ts'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider[Symbol.asyncDispose]())

interface Asking {
  readonly model?: string
  readonly path?: string
  readonly stream?: boolean
  readonly fault?: string
  readonly timeoutMs?: number
}

const chat = '/v1/chat/completions'

async function ask(asking: Asking): Promise<RawExchange> {
  const { model = 'm', path = chat, stream = false, fault, timeoutMs = 5_000 } = asking
  const messages = [{ role: 'user', content: 'Hi' }]
  const body = JSON.stringify({ model, messages, max_tokens: 9, stream })
  const chosen = fault === undefined ? '' : `${faultHeader}: ${fault}\r\n`
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\n${chosen}content-length: ${body.length}\r\n\r\n`
  return await rawRequest({ port: provider.port, send: head + body, timeoutMs })
}

const statusOf = async (asking: Asking) => (await ask(asking)).response.status

describe('a fault chosen by name', () => {
  it.each([
    ['model', (fault: string) => ({ model: `fault-${fault}` })],
    ['header', (fault: string) => ({ fault })],
  ])("is chosen by the request's %s, and begins anew after a good answer", async (_, choose) => {
    const seen: number[] = []
    for (let index = 0; index < 7; index += 1) seen.push(await statusOf(choose('storm:2')))
    expect(seen).toEqual([503, 503, 200, 503, 503, 200, 503])
    expect(provider.hitsByFault).toEqual({ storm: 7 })
  })

  it('counts labels apart, and requests by model', async () => {
    const one = { model: 'fault-server-error@one' }
    const other = { model: 'fault-server-error@other' }
    expect(await statusOf(one)).toBe(500)
    expect(await statusOf(other)).toBe(500)
    expect(await statusOf(one)).toBe(200)
    expect(await statusOf({})).toBe(200)
    expect(provider.hitsByModel).toEqual({ [one.model]: 2, [other.model]: 1, m: 1 })
    expect(provider.hitsByFault).toEqual({ 'server-error': 3 })
  })

  it('is played by a test to whatever comes, from its beginning', async () => {
    provider.play('server-error')
    expect([await statusOf({}), await statusOf({})]).toEqual([500, 200])
    provider.play('storm:1')
    expect(await statusOf({})).toBe(503)
    provider.play('storm:1')
    expect([await statusOf({}), await statusOf({})]).toEqual([503, 200])
    provider.reset()
    expect(await statusOf({})).toBe(200)
    expect(() => provider.play('nothing')).toThrow('There is no fault "nothing"')
  })

  it('gives way to what a test wants of the next request', async () => {
    provider.next({ status: 418 })
    expect(await statusOf({ model: 'fault-storm' })).toBe(418)
    expect(await statusOf({ model: 'fault-storm' })).toBe(503)
  })

  it('that there is not is said, and no broken connection', async () => {
    const { response } = await ask({ model: 'fault-nothing' })
    expect(response.status).toBe(400)
    expect(response.body.toString()).toContain('There is no fault \\"nothing\\"')
    const send = 'GET /v1/models HTTP/1.1\r\nHost: x\r\nx-testkit-behaviour: [1]\r\n\r\n'
    const wrong = await rawRequest({ port: provider.port, send })
    expect(wrong.response.status).toBe(400)
  })
})

describe.each([chat, '/v1/messages'])('on %s', (path) => {
  const asks = (fault: string, more: Asking = {}) => ask({ path, fault, ...more })
  const streams = (fault: string) => asks(fault, { stream: true })

  it('limits rates, for a moment or for long', async () => {
    const short = await asks('rate-limited')
    expect(short.response.status).toBe(429)
    expect(short.response.header('retry-after')).toBe('1')
    expect(short.response.header('retry-after-ms')).toBeUndefined()
    expect((await asks('rate-limited')).response.status).toBe(200)
    expect((await asks('rate-limited-long')).response.header('retry-after')).toBe('120')
  })

  it.each([
    ['server-error', 500],
    ['storm', 503],
    ['overloaded', 529],
    ['bad-gateway', 502],
    ['context-length', 400],
    ['content-filter-400', 400],
  ])('%s is a %d', async (fault, status) => {
    expect((await asks(fault)).response.status).toBe(status)
  })

  it('resets before and after the headers, once', async () => {
    expect(await asks('reset-before-headers')).toMatchObject({ ended: 'reset', text: '' })
    expect((await asks('reset-before-headers')).response.status).toBe(200)
    const after = await asks('reset-after-headers')
    expect(after).toMatchObject({ ended: 'reset', response: { status: 200, complete: false } })
    expect(after.response.body).toHaveLength(0)
  })

  it('answers with what is no HTTP', async () => {
    expect((await asks('garbage')).text).toBe('ready.\r\n')
  })

  it('is silent, or slow after its headers', async () => {
    expect(await asks('silence', { timeoutMs: 60 })).toMatchObject({ ended: 'timed-out', text: '' })
    const slow = await asks('slow-first-token', { timeoutMs: 60 })
    expect(slow).toMatchObject({ ended: 'timed-out', response: { status: 200 } })
    expect(slow.response.body).toHaveLength(0)
  })

  it('breaks streams: stalled, cut, truncated', async () => {
    const stalled = await asks('stall', { stream: true, timeoutMs: 100 })
    expect(stalled.ended).toBe('timed-out')
    expect(stalled.response.body.toString()).toContain('Tides')
    expect((await streams('cut')).ended).toBe('reset')
    const truncated = await streams('truncated')
    expect(truncated.response.complete).toBe(true)
    expect(truncated.text).toContain('fall.')
    expect(truncated.text).not.toMatch(/\[DONE\]|message_stop|"stop"|end_turn/)
  })

  it('sends an event that is no JSON, or its own error', async () => {
    const malformed = await streams('malformed-event')
    const data = [...malformed.response.body.toString().matchAll(/^data: (.*)$/gm)].map(
      ([, one]) => one,
    )
    const broken = data.filter((one) => one !== '[DONE]' && !isJson(one ?? ''))
    expect(broken).toEqual(['{"choices":[{"del'])
    expect(data.at(-1)).toMatch(/\[DONE\]|message_stop/)
    expect((await streams('error-event')).text).toContain('"error"')
  })

  it('finishes without its last marker', async () => {
    const { response } = await streams('no-done')
    expect(response.complete).toBe(true)
    expect(response.body.toString()).toMatch(/"finish_reason":"stop"|"stop_reason":"end_turn"/)
    expect(response.body.toString()).not.toMatch(/\[DONE\]|message_stop/)
  })

  it('refuses within a good answer', async () => {
    const { response } = await asks('content-filter')
    expect(response.status).toBe(200)
    expect(response.body.toString()).toMatch(
      /"finish_reason":"content_filter"|"stop_reason":"refusal"/,
    )
  })

  it('cuts JSON in half, in a broken message or in a whole one', async () => {
    const short = await asks('half-json')
    expect(short.response).toMatchObject({ status: 200, complete: false })
    expect(isJson((await asks('half-json')).response.body.toString())).toBe(true)
    const clean = await asks('half-json-clean')
    expect(clean.response).toMatchObject({ status: 200, complete: true })
    expect(isJson(clean.response.body.toString())).toBe(false)
  })

  it.each([true, false])('names its own model and usage, streamed: %s', async (stream) => {
    const { text } = await asks('marked', { stream })
    expect(text).toContain('"model":"marked-model"')
    if (path !== chat || !stream) expect(text).toMatch(/_tokens":1234/)
    if (path !== chat || !stream) expect(text).toMatch(/_tokens":567/)
  })
})

describe('a provider that answers in its own way', () => {
  it('is told from another, whatever it is asked to do, unless that says otherwise', async () => {
    const usage = { input: 7, output: 11 }
    await using backup = await startProvider({ answers: { model: 'backup', text: 'Hello', usage } })
    backup.next({}, { model: 'special' })
    const url = `${backup.url}/v1/responses`
    const call = async () => {
      const body = JSON.stringify({ model: 'm', input: 'Hi' })
      return (await (await fetch(url, { method: 'POST', body })).json()) as Record<string, unknown>
    }
    const expected = { input_tokens: 7, output_tokens: 11, total_tokens: 18 }
    expect(await call()).toMatchObject({ model: 'backup', usage: expected })
    expect(await call()).toMatchObject({ model: 'special', usage: expected })
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('a client that leaves', () => {
  it('is seen in the middle of a stream', async () => {
    const left = await ask({ fault: 'client-abort', stream: true, timeoutMs: 100 })
    expect(left.ended).toBe('timed-out')
    const closed = await provider.lastRequest.closedEarly
    expect(closed?.bytesSent).toBeGreaterThan(0)
    expect(provider.lastRequest.status).toBe(200)
  })

  it('is told from a provider that cuts', async () => {
    await ask({ fault: 'reset-before-headers' })
    expect(await provider.lastRequest.closedEarly).toBeNull()
    expect(provider.lastRequest).toMatchObject({ cutByProvider: true, status: undefined })
  })
})
