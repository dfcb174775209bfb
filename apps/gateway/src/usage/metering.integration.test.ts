import { type Behaviour, type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../problems.ts'
import { type MeteredGateway, meteredGateway } from './metered-gateway.fixture.ts'

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Tell me of the tide.' }] }
const STREAM = { ...CHAT, stream: true }
const MESSAGE = { ...CHAT, max_tokens: 64 }

/** What the input of these requests is estimated at: names and words, four bytes to a token. */
const INPUT = 9

const USAGE = { input: 1234, output: 567 }
const TOLD = { input: 1234, output: 567, total: 1801, estimated: false }

let provider: Provider
let gateway: MeteredGateway
let anthropic: MeteredGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await meteredGateway([provider.url])
  anthropic = await meteredGateway([provider.url], { protocol: 'anthropic' })
})

afterEach(() => provider.reset())

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await anthropic[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const post = (
  url: string,
  path: string,
  body: unknown,
  init: RequestInit = {},
): Promise<Response> =>
  fetch(`${url}/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...init,
  })

/** Makes one call whole, and says how its reservation ended. */
async function spend(path: string, body: unknown, at = gateway) {
  const index = at.settled.length
  const response = await post(at.url, path, body)
  const text = await response.text()
  return { status: response.status, text, ...(await at.waitFor(index)) }
}

describe('a call whose provider tells what it used', () => {
  it.each<[string, string, object, 'openai' | 'anthropic']>([
    ['a completion', '/chat/completions', CHAT, 'openai'],
    ['a streamed completion', '/chat/completions', STREAM, 'openai'],
    ['a streamed text', '/completions', { model: 'm', prompt: 'Tell me.', stream: true }, 'openai'],
    ['a response', '/responses', { model: 'm', input: 'Tell me.' }, 'openai'],
    ['a streamed response', '/responses', { model: 'm', input: 'Tell.', stream: true }, 'openai'],
    ['a message', '/messages', MESSAGE, 'anthropic'],
    ['a streamed message', '/messages', { ...MESSAGE, stream: true }, 'anthropic'],
  ])('settles %s exactly', async (_name, path, body, protocol) => {
    provider.always({ usage: USAGE })
    const at = protocol === 'openai' ? gateway : anthropic
    expect(await spend(path, body, at)).toMatchObject({ status: 200, as: 1801, usage: TOLD })
  })

  it('settles embeddings by their input', async () => {
    const { as, usage } = await spend('/embeddings', { model: 'm', input: 'Tell me of the tide.' })
    expect(usage).toMatchObject({ output: 0, estimated: false })
    expect(as).toBe(usage?.input)
  })

  it.each<[string, Behaviour]>([
    ['is larger than what is kept', { padFirstEvent: 300_000 }],
    ['is larger, and of unknown length', { padFirstEvent: 300_000, framing: 'chunked' }],
    ['comes in pieces of a few bytes', { cut: 7, framing: 'chunked' }],
  ])('finds the usage in JSON that %s', async (_name, behaviour) => {
    provider.always({ usage: USAGE, ...behaviour })
    const { text, usage } = await spend('/chat/completions', CHAT)
    expect(usage).toEqual(TOLD)
    expect(JSON.parse(text)).toHaveProperty('usage.prompt_tokens', 1234)
  })
})

describe('a streamed completion', () => {
  const ASKED = { stream_options: { include_usage: true }, ...STREAM }

  /** What the provider itself sends to a client that asks for usage. */
  const direct = async (behaviour: Behaviour): Promise<string> => {
    provider.next(behaviour)
    return await (await post(provider.url, '/chat/completions', ASKED)).text()
  }

  it.each<[string, Behaviour]>([
    ['event by event', {}],
    ['in one piece', { cut: 'whole' }],
    ['cut inside characters and line ends', { cut: 'awkward', lineEnd: '\r\n' }],
    ['with lines that end with CR', { lineEnd: '\r' }],
  ])('is asked for its usage, which its client then does not see: %s', async (_name, more) => {
    const behaviour: Behaviour = { usage: USAGE, ...more }
    const events = (await direct(behaviour)).split(/(?<=\n\n|\r\n\r\n|\r\r)/)
    const wanted = events.filter((each) => !each.includes('"choices":[]')).join('')
    expect(wanted.length).toBeLessThan(events.join('').length)
    provider.reset()
    provider.next(behaviour)
    const { text, usage } = await spend('/chat/completions', STREAM)
    expect(text).toBe(wanted)
    expect(usage).toEqual(TOLD)
    const { body } = provider.lastRequest
    expect(body.toString()).toBe(JSON.stringify(ASKED))
    expect(provider.lastRequest.header('accept-encoding')).toBe('identity')
  })

  it('keeps the usage of a client that asked for it, and the bytes of its request', async () => {
    const wanted = await direct({ usage: USAGE })
    provider.next({ usage: USAGE })
    const { text, usage } = await spend('/chat/completions', ASKED)
    expect(text).toBe(wanted)
    expect(usage).toEqual(TOLD)
    expect(provider.lastRequest.body.toString()).toBe(JSON.stringify(ASKED))
  })
})

describe('an upstream that refuses stream_options', () => {
  const refusal = (status: number): Behaviour => ({
    status,
    json: { error: { message: 'Extra inputs are not permitted: stream_options.include_usage' } },
  })

  it.each([400, 422])('is asked again without it, and never again with it (%i)', async (status) => {
    await using own = await meteredGateway([provider.url])
    provider.next(refusal(status))
    const { status: answered, usage } = await spend('/chat/completions', STREAM, own)
    expect(answered).toBe(200)
    expect(usage).toMatchObject({ estimated: true, input: INPUT })
    expect(usage?.output).toBeGreaterThan(0)
    await spend('/chat/completions', STREAM, own)
    const asked = provider.requests.map(({ body }) => body.includes('stream_options'))
    expect(asked).toEqual([true, false, false])
  })

  it('is asked with it once more where it refuses the request all the same', async () => {
    await using own = await meteredGateway([provider.url])
    provider.next(refusal(400), { error: 'context_length_exceeded', status: 400 })
    const { status, text, as } = await spend('/chat/completions', STREAM, own)
    expect({ status, as }).toEqual({ status: 400, as: 'refund' })
    expect(text).toContain('context_length_exceeded')
    provider.always({ usage: USAGE })
    expect(await spend('/chat/completions', STREAM, own)).toMatchObject({ usage: TOLD })
  })

  it('passes any other refusal on as it is, asked once', async () => {
    provider.next({ error: 'context_length_exceeded', status: 400 })
    const wanted = await (await post(provider.url, '/chat/completions', STREAM)).text()
    provider.reset()
    provider.next({ error: 'context_length_exceeded', status: 400 })
    const { status, text, as } = await spend('/chat/completions', STREAM)
    expect({ status, text, as }).toEqual({ status: 400, text: wanted, as: 'refund' })
    expect(provider.hits).toBe(1)
  })

  it('passes a refusal on that is larger than anybody reads', async () => {
    const large = { error: { message: `stream_options ${'x'.repeat(100_000)}` } }
    provider.next({ status: 400, json: large })
    const { status, text } = await spend('/chat/completions', STREAM)
    expect({ status, body: JSON.parse(text) }).toEqual({ status: 400, body: large })
  })
})

describe('a call that used nothing', () => {
  it.each([400, 401, 404, 429, 500, 503, 529])('is refunded (%i)', async (status) => {
    provider.always({ status })
    expect(await spend('/chat/completions', CHAT)).toMatchObject({ status, as: 'refund' })
  })

  it('is refunded where no upstream can be reached', async () => {
    await using own = await meteredGateway(['http://127.0.0.1:9'])
    expect(await spend('/chat/completions', CHAT, own)).toMatchObject({ status: 502, as: 'refund' })
  })

  it('is refunded where the upstream answers nothing in time', async () => {
    const upstream = 'retry: off\ntimeouts: { firstByte: 100ms }'
    await using own = await meteredGateway([provider.url], { upstream })
    provider.always({ fault: { kind: 'stall', at: 'before-headers' } })
    expect(await spend('/chat/completions', CHAT, own)).toMatchObject({ status: 504, as: 'refund' })
  })

  it('is refunded where a stage behind the reservation fails', async () => {
    const failWith = new GatewayError('no_route', 'no')
    await using own = await meteredGateway([provider.url], { failWith })
    expect(await spend('/chat/completions', CHAT, own)).toMatchObject({ as: 'refund' })
    await using crashing = await meteredGateway([provider.url], { failWith: new Error('oops') })
    expect(await spend('/chat/completions', CHAT, crashing)).toMatchObject({
      status: 500,
      as: 'refund',
    })
  })

  it('holds nothing for calls that providers charge no tokens for', async () => {
    const before = [gateway.reserved, anthropic.reserved]
    await (await fetch(`${gateway.url}/v1/models`)).text()
    await (await post(gateway.url, '/files', {})).text()
    await (await post(anthropic.url, '/messages/count_tokens', MESSAGE)).text()
    await (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST' })).text()
    expect([gateway.reserved, anthropic.reserved]).toEqual(before)
  })
})

describe('a call that did not come to its end', () => {
  /** Reads a stream up to its first words. */
  async function leaveAfter(at: MeteredGateway, path: string, body: object, words: string) {
    const index = at.settled.length
    const controller = new AbortController()
    const response = await post(at.url, path, body, { signal: controller.signal })
    const reader = response.body?.getReader()
    for (let text = ''; !text.includes(words); ) {
      const { value } = (await reader?.read()) ?? {}
      text += Buffer.from(value ?? []).toString()
    }
    controller.abort()
    return await at.waitFor(index)
  }

  it('costs its input and the words that came before the client left', async () => {
    provider.next({ beforeEvent: (index) => (index < 3 ? undefined : new Promise(() => {})) })
    const { as, usage } = await leaveAfter(gateway, '/chat/completions', STREAM, ' rise')
    // "Tides rise" is ten bytes.
    expect(usage).toEqual({ input: INPUT, output: 3, total: INPUT + 3, estimated: true })
    expect(as).toBe(INPUT + 3)
  })

  it('costs what Anthropic said at the beginning', async () => {
    provider.next({
      usage: USAGE,
      beforeEvent: (index) => (index < 5 ? undefined : new Promise(() => {})),
    })
    const streamed = { ...MESSAGE, stream: true }
    const { usage } = await leaveAfter(anthropic, '/messages', streamed, ' rise')
    expect(usage).toEqual({ input: 1234, output: 3, total: 1237, estimated: true })
  })

  it('costs its input where the client left while the upstream was at work', async () => {
    provider.next({ fault: { kind: 'stall', at: 'before-headers' } })
    const index = gateway.settled.length
    const controller = new AbortController()
    const { signal } = controller
    const call = post(gateway.url, '/chat/completions', CHAT, { signal }).catch(() => 'left')
    await provider.waitForRequest()
    controller.abort()
    expect(await call).toBe('left')
    expect(await gateway.waitFor(index)).toMatchObject({ as: INPUT, usage: { output: 0 } })
  })

  it('costs its input and the words that came before the upstream broke it', async () => {
    provider.next({ fault: { kind: 'reset', at: { events: 3 } } })
    const { text, usage } = await spend('/chat/completions', STREAM)
    expect(text).toContain('stream_interrupted')
    expect(usage).toEqual({ input: INPUT, output: 3, total: INPUT + 3, estimated: true })
  })

  it('never costs more output than the request allows', async () => {
    provider.next({ padFirstEvent: 400, fault: { kind: 'reset', at: { events: 3 } } })
    const { usage } = await spend('/chat/completions', { ...STREAM, max_tokens: 5 })
    expect(usage).toMatchObject({ output: 5, estimated: true })
  })

  it('costs nothing where the upstream says in its first event that it failed', async () => {
    provider.next({ fault: { kind: 'error-event', at: { events: 0 } } })
    expect(await spend('/chat/completions', STREAM)).toMatchObject({ as: 'refund' })
  })
})

describe('a call whose provider does not tell', () => {
  it('is estimated where the answer came compressed all the same', async () => {
    provider.next({ usage: USAGE, encoding: 'gzip' })
    expect((await spend('/chat/completions', CHAT)).usage).toMatchObject({
      input: INPUT,
      estimated: true,
    })
  })

  it.each([
    { prompt_tokens: -5, completion_tokens: 1e300, total_tokens: 'many' },
    { deep: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) },
    null,
    'none',
    { prompt_tokens: 'x'.repeat(20_000) },
  ])('is estimated where it tells nonsense, which passes as it is', async (usage) => {
    const json = { choices: [{ message: { content: 'four' } }], usage }
    provider.next({ json })
    const { text, usage: counted } = await spend('/chat/completions', CHAT)
    expect(JSON.parse(text)).toEqual(json)
    expect(counted).toMatchObject({ input: INPUT, estimated: true })
  })
})

describe('a call of several attempts', () => {
  it('costs what each of them reported', async () => {
    const upstream = 'retry: { retries: 2, initial: 1ms, max: 5ms }'
    const route = 'stream: { holdBack: full }'
    await using own = await meteredGateway([provider.url], {
      protocol: 'anthropic',
      upstream,
      route,
    })
    provider.next({ usage: USAGE, fault: { kind: 'reset', at: { events: 5 } } }, { usage: USAGE })
    const { status, usage } = await spend('/messages', { ...MESSAGE, stream: true }, own)
    expect(status).toBe(200)
    expect(provider.hits).toBe(2)
    expect(usage).toEqual({ input: 2468, output: 568, total: 3036, estimated: false })
  })

  it('costs nothing for those that failed without a word', async () => {
    const upstream = 'retry: { retries: 2, initial: 1ms, max: 5ms }'
    await using own = await meteredGateway([provider.url], { upstream })
    provider.next(
      { status: 503 },
      { fault: { kind: 'reset', at: 'before-headers' } },
      { usage: USAGE },
    )
    const { status, usage } = await spend('/chat/completions', CHAT, own)
    expect({ status, usage }).toEqual({ status: 200, usage: TOLD })
  })
})

describe('every reservation', () => {
  it('is settled or refunded exactly once', () => {
    expect(gateway.settled).toHaveLength(gateway.reserved)
    expect(anthropic.settled).toHaveLength(anthropic.reserved)
  })
})
