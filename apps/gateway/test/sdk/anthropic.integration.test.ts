import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anthropic, collect, drain, message } from './clients.ts'
import { errorOf, resultOf } from './outcome.ts'
import { detoured, detours, onlyRequestLine, type Side, type Sides, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
beforeEach(() => sides.reset())
afterAll(async () => await sides[Symbol.asyncDispose]())

const streamed = { ...message, stream: true as const }

describe('messages', () => {
  it('gives the same message, response headers and request as without the gateway', async () => {
    const outcome = await sides.same(async (side) => {
      const { data, response } = await anthropic(side).messages.create(message).withResponse()
      return { data, headers: response.headers }
    })
    const { data, headers } = resultOf(outcome)
    expect(data.content[0]).toMatchObject({ type: 'text' })
    expect(headers.get('request-id')).toMatch(/^req_/)
  })

  it('streams the same events', async () => {
    const outcome = await sides.same(async (side) =>
      collect(await anthropic(side).messages.create(streamed)),
    )
    expect(resultOf(outcome).at(-1)?.type).toBe('message_stop')
  })

  it('gives the same events, texts and message through the stream helper', async () => {
    const outcome = await sides.same(async (side) => {
      const stream = anthropic(side).messages.stream(message)
      const texts: string[] = []
      const events: string[] = []
      stream.on('text', (text) => texts.push(text))
      stream.on('streamEvent', (event) => events.push(event.type))
      return { final: await stream.finalMessage(), texts, events }
    })
    const { final, texts } = resultOf(outcome)
    expect(final.stop_reason).toBe('end_turn')
    expect(texts).toHaveLength(8)
  })

  it.each(['gzip', 'br'] as const)('reads %s answers, plain and streamed', async (encoding) => {
    sides.tell((provider) => provider.always({ encoding }))
    await sides.same(async (side) => anthropic(side).messages.create(message))
    await sides.same(async (side) => collect(await anthropic(side).messages.create(streamed)))
  })

  it('counts tokens alike', async () => {
    const { model, messages } = message
    const outcome = await sides.same(async (side) =>
      anthropic(side).messages.countTokens({ model, messages }),
    )
    expect(resultOf(outcome).input_tokens).toBeGreaterThan(0)
  })

  it('passes beta headers on', async () => {
    await sides.same(async (side) =>
      anthropic(side).beta.messages.create({ ...message, betas: ['context-1m-2025-08-07'] }),
    )
    expect(sides.through.provider.lastRequest.header('anthropic-beta')).toContain('context-1m')
  })
})

describe.each([
  [400, 'BadRequestError'],
  [401, 'AuthenticationError'],
  [403, 'PermissionDeniedError'],
  [404, 'NotFoundError'],
  [409, 'ConflictError'],
  [413, 'ContentTooLargeError'],
  [422, 'UnprocessableEntityError'],
  [429, 'RateLimitError'],
  [500, 'InternalServerError'],
  [502, 'InternalServerError'],
  [503, 'ServiceUnavailableError'],
  [504, 'GatewayTimeoutError'],
  [529, 'OverloadedError'],
] as const)('an upstream that answers %i', (status, name) => {
  it(`raises the same ${name} for plain calls, streams and counts`, async () => {
    const model = `error-${status}`
    const { messages } = message
    const calls: ((side: Side) => Promise<unknown>)[] = [
      async (side) => anthropic(side).messages.create({ ...message, model }),
      async (side) => anthropic(side).messages.create({ ...streamed, model }),
      async (side) =>
        anthropic(side)
          .messages.stream({ ...message, model })
          .finalMessage(),
      async (side) => anthropic(side).messages.countTokens({ model, messages }),
    ]
    for (const call of calls) {
      expect(errorOf(await sides.same(call))).toMatchObject({ class: name, status })
    }
    expect(sides.through.provider.hits).toBe(calls.length)
  })

  it('is asked as often by a client that retries', async () => {
    const headers = { 'retry-after-ms': '1' }
    sides.tell((provider) => provider.always({ status, headers }))
    const outcome = await sides.same(async (side) =>
      anthropic(side, { maxRetries: 2 }).messages.create(message),
    )
    expect(errorOf(outcome)).toMatchObject({ class: name, status })
    const retried = status === 409 || status === 429 || status >= 500
    expect(sides.through.provider.hits).toBe(retried ? 3 : 1)
  })
})

describe('a stream', () => {
  it('that the provider ends with an error raises the same one', async () => {
    sides.tell((provider) => provider.always({ fault: { kind: 'error-event' } }))
    const outcome = await sides.same(async (side) =>
      drain(await anthropic(side).messages.create(streamed)),
    )
    expect(resultOf(outcome).error).toMatchObject({ type: 'overloaded_error' })
  })

  it.each([
    ['reset', { fault: { kind: 'reset' } }, 'broke off'],
    ['closed inside a chunk', { fault: { kind: 'close' } }, 'broke off'],
    ['cut inside an event', { fault: { kind: 'reset', at: { bytes: 700 } } }, 'broke off'],
    ['ended without message_stop', { fault: { kind: 'stop' } }, 'closing event'],
    ['whole but for message_stop', { omitDone: true }, 'closing event'],
    [
      'ended with the connection, which looks like a good end',
      { framing: 'close', fault: { kind: 'close' } },
      'closing event',
    ],
  ] as const)('that is %s raises an error and never ends well', async (_, behaviour, words) => {
    const whole = await collect(await anthropic(sides.direct).messages.create(streamed))
    sides.through.provider.always(behaviour)
    const through = await drain(await anthropic(sides.through).messages.create(streamed))
    expect(through.error).toBeInstanceOf(Anthropic.APIError)
    expect(through.error).toMatchObject({ type: 'api_error', status: undefined })
    expect((through.error as Error).message).toContain(words)
    expect(through.items).toEqual(whole.slice(0, through.items.length))
    expect(through.items.length).toBeLessThan(whole.length)
    const helper = anthropic(sides.through).messages.stream(message)
    await expect(helper.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError)
    expect(sides.through.provider.hits).toBe(2)
  })
})

it('a stream that ends before its first event is a 502', async () => {
  sides.through.provider.always({ fault: { kind: 'stop', at: 'after-headers' } })
  const opening = anthropic(sides.through).messages.create(streamed)
  await expect(opening).rejects.toMatchObject({ status: 502, type: 'api_error' })
})

describe('errors of the gateway', () => {
  it.each([
    ['Bearer', { apiKey: 'tg-wrong' }],
    ['x-api-key', { apiKey: null, defaultHeaders: { 'x-api-key': 'tg-wrong' } }],
  ])('have Anthropic’s form for an unknown key sent as %s', async (_, options) => {
    const failing = anthropic(sides.through, options).messages.create(message)
    const error = await failing.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Anthropic.AuthenticationError)
    expect(error).toMatchObject({
      status: 401,
      type: 'authentication_error',
      error: {
        type: 'error',
        error: { type: 'authentication_error', message: expect.stringContaining('not known here') },
        request_id: expect.any(String),
      },
    })
    expect(sides.through.provider.hits).toBe(0)
  })

  it('have Anthropic’s form for a missing key', async () => {
    const client = anthropic(sides.through, { defaultHeaders: { authorization: null } })
    await expect(client.messages.create(message)).rejects.toMatchObject({
      status: 401,
      type: 'authentication_error',
    })
  })

  it('have Anthropic’s form for an unreachable upstream', async () => {
    const down = detoured(sides, detours.down)
    const error = await anthropic(down)
      .messages.create(message)
      .catch((e: unknown) => e)
    expect(error).toBeInstanceOf(Anthropic.InternalServerError)
    expect(error).toMatchObject({ status: 502, type: 'api_error', error: { type: 'error' } })
  })

  it('raise once for each attempt of an upstream that dies before it answers', async () => {
    const fault = { kind: 'reset', at: 'before-headers' } as const
    sides.tell((provider) => provider.always({ fault }))
    const { direct, through } = await sides.both(async (side) =>
      anthropic(side, { maxRetries: 1 }).messages.create(message),
    )
    expect(errorOf(direct).class).toBe('APIConnectionError')
    expect(errorOf(through)).toMatchObject({ class: 'InternalServerError', status: 502 })
    expect([sides.direct.provider.hits, sides.through.provider.hits]).toEqual([2, 2])
  })
})

describe('a client that leaves', () => {
  const never = new Promise<never>(() => undefined)

  it('in mid-stream stops the upstream, and is logged once', async () => {
    const beforeEvent = (index: number) => (index === 5 ? never : undefined)
    sides.tell((provider) => provider.always({ beforeEvent }))
    const { direct, through } = await sides.both(async (side) => {
      const stream = anthropic(side).messages.stream(message)
      stream.on('text', () => stream.abort())
      await stream.finalMessage()
    })
    expect(errorOf(through)).toEqual(errorOf(direct))
    expect(errorOf(through).class).toBe('APIUserAbortError')
    const { lastRequest } = sides.through.provider
    expect(await lastRequest.closedEarly).not.toBeNull()
    const line = await onlyRequestLine(sides.gateway, lastRequest.header('x-request-id') ?? '')
    expect(line).toMatchObject({ status_code: 499, outcome: 'client_gone', route: '/v1/messages' })
  })

  it('before the headers stops the upstream', async () => {
    sides.through.provider.always({ beforeHeaders: () => never })
    const leaving = new AbortController()
    const options = { signal: leaving.signal }
    const failing = anthropic(sides.through).messages.create(message, options)
    const request = await sides.through.provider.waitForRequest()
    leaving.abort()
    await expect(failing).rejects.toBeInstanceOf(Anthropic.APIUserAbortError)
    expect(await request.closedEarly).not.toBeNull()
  })
})
