import { type APIError, toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chat, openai, streamedChat } from './clients.ts'
import { errorOf } from './outcome.ts'
import { detoured, detours, requestLines, type Side, type Sides, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
beforeEach(() => sides.reset())
afterAll(async () => await sides[Symbol.asyncDispose]())

const classes = [
  [400, 'BadRequestError'],
  [401, 'AuthenticationError'],
  [403, 'PermissionDeniedError'],
  [404, 'NotFoundError'],
  [409, 'ConflictError'],
  [413, 'APIError'],
  [422, 'UnprocessableEntityError'],
  [429, 'RateLimitError'],
  [500, 'InternalServerError'],
  [502, 'InternalServerError'],
  [503, 'InternalServerError'],
  [504, 'InternalServerError'],
  [529, 'InternalServerError'],
] as const

describe.each(classes)('an upstream that answers %i', (status, name) => {
  const model = `error-${status}`

  it(`raises the same ${name} for plain calls, streams and embeddings`, async () => {
    const calls: ((side: Side) => Promise<unknown>)[] = [
      async (side) => openai(side).chat.completions.create({ ...chat, model }),
      async (side) => openai(side).chat.completions.create({ ...streamedChat, model }),
      async (side) => openai(side).responses.create({ model, input: 'tide' }),
      async (side) => openai(side).embeddings.create({ model, input: 'tide' }),
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
      openai(side, { maxRetries: 2 }).chat.completions.create(chat),
    )
    expect(errorOf(outcome)).toMatchObject({ class: name, status })
    const retried = status === 409 || status === 429 || status >= 500
    expect(sides.through.provider.hits).toBe(retried ? 3 : 1)
  })
})

describe('errors of the upstream', () => {
  it.each([
    ['context_length_exceeded', 'BadRequestError', 'context_length_exceeded', 'messages'],
    ['content_filter', 'BadRequestError', 'content_policy_violation', null],
    ['insufficient_quota', 'RateLimitError', 'insufficient_quota', null],
  ] as const)('keep code, type and param of %s', async (error, name, code, param) => {
    sides.tell((provider) => provider.always({ error, status: name.startsWith('R') ? 429 : 400 }))
    const outcome = await sides.same(async (side) => openai(side).chat.completions.create(chat))
    expect(errorOf(outcome)).toMatchObject({ class: name, code, param })
  })

  it('tell how long to wait', async () => {
    const outcome = await sides.same(async (side) =>
      openai(side).chat.completions.create({ ...chat, model: 'error-429' }),
    )
    const headers = errorOf(outcome).headers as Headers
    expect(headers.get('retry-after')).toBe('1')
    expect(headers.get('retry-after-ms')).toBe('120')
  })

  it.each(['true', 'false'])('decide about retries by x-should-retry: %s', async (should) => {
    const headers = { 'x-should-retry': should, 'retry-after-ms': '1' }
    const status = should === 'true' ? 400 : 503
    sides.tell((provider) => provider.always({ status, headers }))
    await sides.same(async (side) => openai(side, { maxRetries: 2 }).chat.completions.create(chat))
    expect(sides.through.provider.hits).toBe(should === 'true' ? 3 : 1)
  })

  it('are over for a client whose retry succeeds', async () => {
    const headers = { 'retry-after-ms': '1' }
    sides.tell((provider) => provider.next({ status: 503, headers }, { status: 429, headers }))
    const outcome = await sides.same(async (side) =>
      openai(side, { maxRetries: 2 }).chat.completions.create(chat),
    )
    expect(outcome).toHaveProperty('result')
    expect(sides.through.provider.hits).toBe(3)
  })

  it.each([
    ['of no JSON', { status: 500, body: 'the tide is out' }],
    ['of no bytes', { status: 503, body: '' }],
    ['of an unknown shape', { status: 400, json: { detail: [{ loc: ['body'], msg: 'no' }] } }],
    ['compressed', { status: 400, encoding: 'gzip' }],
    ['chunked', { status: 422, framing: 'chunked' }],
  ] as const)('are the same with a body %s', async (_, behaviour) => {
    sides.tell((provider) => provider.always(behaviour))
    const outcome = await sides.same(async (side) => openai(side).chat.completions.create(chat))
    expect(errorOf(outcome).status).toBe(behaviour.status)
  })

  it('in a stream are raised after the same chunks', async () => {
    sides.tell((provider) => provider.always({ fault: { kind: 'error-event' } }))
    await sides.same(async (side) => {
      const chunks: unknown[] = []
      const stream = await openai(side).chat.completions.create(streamedChat)
      const reading = (async () => {
        for await (const chunk of stream) chunks.push(chunk)
      })()
      await expect(reading).rejects.toMatchObject({ type: 'server_error' })
      return { chunks, error: await reading.catch((error: unknown) => error) }
    })
  })

  it('in a response stream are raised after the same events', async () => {
    sides.tell((provider) => provider.always({ fault: { kind: 'error-event' } }))
    await sides.same(async (side) => {
      const events: unknown[] = []
      const stream = await openai(side).responses.create({ ...chat, input: 'tide', stream: true })
      const reading = (async () => {
        for await (const event of stream) events.push(event)
      })()
      await expect(reading).rejects.toMatchObject({ code: 'server_error' })
      return { events, error: await reading.catch((error: unknown) => error) }
    })
  })
})

describe('errors of the gateway', () => {
  it('say of an unreachable upstream that a retry is in order', async () => {
    const down = detoured(sides, detours.down)
    const failing = openai(down).chat.completions.create(chat)
    const error = await failing.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      status: 502,
      type: 'upstream_error',
      code: 'upstream_unreachable',
      param: null,
    })
    expect((error as Error).constructor.name).toBe('InternalServerError')
    expect((error as { headers: Headers }).headers.get('x-should-retry')).toBe('true')
  })

  it('are retried by a client as a connection refused would be', async () => {
    const id = 'retry-unreachable'
    const down = detoured(sides, detours.down)
    const options = { maxRetries: 2, defaultHeaders: { 'x-request-id': id } }
    const failing = openai(down, options).chat.completions.create(chat)
    await expect(failing).rejects.toThrow('upstream')
    await sides.gateway.waitForLog(() => requestLines(sides.gateway, id).length === 3)
  })

  it('name a body over the limit, and the upstream never hears of it', async () => {
    const file = await toFile(Buffer.alloc(11 * 1024 * 1024, 'tide'), 'big.bin')
    const uploading = openai(sides.through).files.create({ file, purpose: 'user_data' })
    await expect(uploading).rejects.toMatchObject({ status: 413, code: 'payload_too_large' })
    expect(sides.through.provider.hits).toBe(0)
  })

  it('carry the id under which they are in the log', async () => {
    const failing = openai(detoured(sides, detours.down)).chat.completions.create(chat)
    const { requestID } = (await failing.catch((thrown: unknown) => thrown)) as APIError
    const line = await sides.gateway.waitForLog(
      (record) => record.request_id === requestID && record.message === 'request',
    )
    expect(line).toMatchObject({ status_code: 502, error_code: 'upstream_unreachable' })
  })

  it('name a path that no route takes', async () => {
    const lost = openai(sides.through, { baseURL: `${sides.through.url}/v2` })
    const error = await lost.models.list().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ status: 404, code: 'no_route' })
  })
})
