import { canary, findCanaries } from '@tidegate/testkit'
import { APIError, APIUserAbortError, InternalServerError } from 'openai'
import type { Stream } from 'openai/streaming'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chat, collect, drain, openai, streamedChat } from './clients.ts'
import { errorOf } from './outcome.ts'
import { detoured, detours, onlyRequestLine, type Side, type Sides, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
beforeEach(() => sides.reset())
afterAll(async () => await sides[Symbol.asyncDispose]())

const response = { model: 'gpt-4o-mini', input: 'Tell me of the tide.', stream: true as const }

type OpenStream = (side: Side) => Promise<Stream<unknown>>

const prompt = { model: 'davinci', prompt: 'Tide', stream: true as const }

/** Each kind of stream that OpenAI's client reads. */
const streams: readonly (readonly [name: string, open: OpenStream])[] = [
  ['chat', async (side) => await openai(side).chat.completions.create(streamedChat)],
  ['responses', async (side) => await openai(side).responses.create(response)],
  ['completions', async (side) => await openai(side).completions.create(prompt)],
]

describe('an upstream that dies before it answers', () => {
  it.each(['reset', 'close'] as const)('by %s raises, and is asked as often', async (kind) => {
    sides.tell((provider) => provider.always({ fault: { kind, at: 'before-headers' } }))
    const { direct, through } = await sides.both(async (side) =>
      openai(side, { maxRetries: 1 }).chat.completions.create(chat),
    )
    expect(errorOf(direct).class).toBe('APIConnectionError')
    expect(errorOf(through)).toMatchObject({
      class: 'InternalServerError',
      status: 502,
      code: 'upstream_reset',
    })
    expect([sides.direct.provider.hits, sides.through.provider.hits]).toEqual([2, 2])
  })

  it('is not asked again by the gateway itself', async () => {
    sides.through.provider.next({ fault: { kind: 'reset', at: 'before-headers' } })
    const failing = openai(sides.through).chat.completions.create(chat)
    await expect(failing).rejects.toBeInstanceOf(InternalServerError)
    expect(sides.through.provider.hits).toBe(1)
    await openai(sides.through).chat.completions.create(chat)
    expect(sides.through.provider.hits).toBe(2)
  })

  it('by answering something else than HTTP raises a 502, and what it said is in no log', async () => {
    const words = canary('answer')
    sides.through.provider.next({ raw: `SSH-2.0-${words}\r\n\r\n` })
    const headers = { 'x-request-id': 'not-http' }
    const failing = openai(sides.through).chat.completions.create(chat, { headers })
    await expect(failing).rejects.toMatchObject({ status: 502, code: 'upstream_bad_response' })
    await onlyRequestLine(sides.gateway, 'not-http')
    expect(findCanaries(sides.gateway.stdout + sides.gateway.stderr)).toEqual([])
  })
})

describe.each(streams)('a stream of %s', (name, open) => {
  const breaks = [
    ['reset', { fault: { kind: 'reset' } }, 'stream_interrupted'],
    ['closed inside a chunk', { fault: { kind: 'close' } }, 'stream_interrupted'],
    [
      'cut inside an event',
      { fault: { kind: 'reset', at: { bytes: 1400 } } },
      'stream_interrupted',
    ],
    ['ended without its last event', { fault: { kind: 'stop' } }, 'stream_truncated'],
    [
      'ended with the connection, which looks like a good end',
      { framing: 'close', fault: { kind: 'close' } },
      'stream_truncated',
    ],
  ] as const

  it('that ends before its first event is a 502', async () => {
    sides.through.provider.always({ fault: { kind: 'stop', at: 'after-headers' } })
    const opening = open(sides.through)
    await expect(opening).rejects.toMatchObject({ status: 502, code: 'stream_truncated' })
  })

  it.each(breaks)('that is %s raises an error and never ends well', async (_, behaviour, code) => {
    const whole = await collect(await open(sides.direct))
    sides.through.provider.always(behaviour)
    const through = await drain(await open(sides.through))
    expect(through.error).toBeInstanceOf(APIError)
    expect(through.error).toMatchObject({ code, param: null, status: undefined })
    expect(String((through.error as Error).message)).toContain('"openai"')
    expect(through.items).toEqual(whole.slice(0, through.items.length))
    expect(through.items.length).toBeLessThan(whole.length)
    expect(sides.through.provider.hits).toBe(1)
  })

  it('that is compressed and breaks raises as well', async () => {
    sides.tell((provider) => provider.always({ encoding: 'gzip', fault: { kind: 'reset' } }))
    expect((await drain(await open(sides.through))).error).toBeInstanceOf(Error)
  })

  it('that broke is in the log as it was', async () => {
    sides.through.provider.next({ fault: { kind: 'reset' } })
    const id = `broken-${name}`
    const url = `${sides.through.url}/v1/${name === 'chat' ? 'chat/completions' : name}`
    const body = JSON.stringify(name === 'responses' ? response : { ...streamedChat, prompt: 'x' })
    const headers = { authorization: `Bearer ${sides.through.apiKey}`, 'x-request-id': id }
    await (await fetch(url, { method: 'POST', headers, body })).text()
    expect(await onlyRequestLine(sides.gateway, id)).toMatchObject({
      status_code: 200,
      outcome: 'upstream_broken',
      error_code: 'stream_interrupted',
    })
  })
})

describe('an upstream that falls silent', () => {
  it('before it answers raises a 504 that says so, and is let go', async () => {
    sides.through.provider.always({ fault: { kind: 'stall', at: 'before-headers' } })
    const failing = openai(detoured(sides, detours.impatient)).chat.completions.create(chat)
    const error = await failing.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InternalServerError)
    expect(error).toMatchObject({ status: 504, code: 'upstream_timeout', type: 'upstream_error' })
    expect(await sides.through.provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('in mid-stream raises an error after what came, and is let go', async () => {
    sides.through.provider.always({ fault: { kind: 'stall' } })
    const client = openai(detoured(sides, detours.impatient))
    const { items, error } = await drain(await client.chat.completions.create(streamedChat))
    expect(items).toHaveLength(9)
    expect(error).toMatchObject({ code: 'stream_idle', status: undefined })
    expect(await sides.through.provider.lastRequest.closedEarly).not.toBeNull()
  })

  it.each([
    ['before it answers', { fault: { kind: 'stall', at: 'before-headers' } }, 504],
    ['in mid-stream', { fault: { kind: 'stall' } }, undefined],
  ] as const)('%s raises what used up the time of the whole', async (_, behaviour, status) => {
    sides.through.provider.always(behaviour)
    const client = openai(detoured(sides, detours.brief))
    const streaming = client.chat.completions.create(streamedChat)
    const error = await streaming.then(
      async (stream) => (await drain(stream)).error,
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'deadline_exceeded', status })
    expect(await sides.through.provider.lastRequest.closedEarly).not.toBeNull()
  })
})

describe('a plain answer', () => {
  it.each(['reset', 'close'] as const)('that breaks off by %s never looks whole', async (kind) => {
    sides.tell((provider) => provider.always({ fault: { kind } }))
    const { direct, through } = await sides.both(async (side) =>
      openai(side).chat.completions.create(chat),
    )
    expect(direct).toHaveProperty('error')
    // Nothing of it had gone out yet, so that the client can be told by a status.
    expect(errorOf(through)).toMatchObject({ class: 'InternalServerError', status: 502 })
    expect(sides.through.provider.hits).toBe(1)
  })

  it('of bytes that breaks off never looks whole', async () => {
    sides.tell((provider) => provider.always({ fault: { kind: 'reset' } }))
    const { direct, through } = await sides.both(async (side) => {
      const speech = { model: 'tts-1', voice: 'alloy', input: 'High tide.' }
      return (await openai(side).audio.speech.create(speech)).arrayBuffer()
    })
    expect(errorOf(through).class).toBe(errorOf(direct).class)
  })
})

describe('a client that leaves', () => {
  const never = new Promise<never>(() => undefined)
  const stalls = { beforeEvent: (index: number) => (index === 3 ? never : undefined) }

  it.each(streams)('in the middle of a stream of %s stops the upstream', async (name, open) => {
    sides.tell((provider) => provider.always(stalls))
    const seen = await Promise.all(
      [sides.direct, sides.through].map(async (side) => {
        const stream = await open(side)
        const items: unknown[] = []
        for await (const item of stream) {
          items.push(item)
          if (items.length === 3) stream.controller.abort()
        }
        return items
      }),
    )
    expect(seen[1]).toEqual(seen[0])
    const closed = await sides.through.provider.lastRequest.closedEarly
    expect(closed).not.toBeNull()
    const id = sides.through.provider.lastRequest.header('x-request-id') ?? ''
    expect(await onlyRequestLine(sides.gateway, id)).toMatchObject({
      status_code: 499,
      outcome: 'client_gone',
      route: '/v1/**',
      path: `/v1/${name === 'chat' ? 'chat/completions' : name}`,
    })
  })

  it('by breaking out of the loop stops the upstream', async () => {
    sides.through.provider.always(stalls)
    for await (const _ of await openai(sides.through).chat.completions.create(streamedChat)) break
    expect(await sides.through.provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('is logged once, with the time that it stayed', async () => {
    sides.through.provider.always(stalls)
    const headers = { 'x-request-id': 'left-in-mid-stream' }
    const startedAt = performance.now()
    const client = openai(sides.through)
    const stream = await client.chat.completions.create(streamedChat, { headers })
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    const firstAt = performance.now()
    await iterator.next()
    const heldFor = performance.now() - firstAt
    stream.controller.abort()
    const line = await onlyRequestLine(sides.gateway, 'left-in-mid-stream')
    expect(line.status_code).toBe(499)
    expect(line.bytes_out).toBeGreaterThan(0)
    expect(line.duration_ms).toBeGreaterThanOrEqual(Math.floor(heldFor))
    expect(line.duration_ms).toBeLessThanOrEqual(Math.ceil(performance.now() - startedAt))
  })

  it('before the headers stops the upstream and raises APIUserAbortError', async () => {
    sides.tell((provider) => provider.always({ beforeHeaders: () => never }))
    const { direct, through } = await sides.both(async (side) => {
      const leaving = new AbortController()
      const options = { signal: leaving.signal }
      const failing = openai(side).chat.completions.create(streamedChat, options)
      const request = await side.provider.waitForRequest()
      await request.bodyEnded
      leaving.abort()
      await expect(failing).rejects.toBeInstanceOf(APIUserAbortError)
      expect(await request.closedEarly).not.toBeNull()
      return await failing
    })
    expect(errorOf(through)).toEqual(errorOf(direct))
    const id = sides.through.provider.lastRequest.header('x-request-id') ?? ''
    expect(await onlyRequestLine(sides.gateway, id)).toMatchObject({
      status_code: 499,
      outcome: 'client_gone',
    })
  })

  it('leaves the gateway ready for the next one', async () => {
    sides.through.provider.next(stalls)
    for await (const _ of await openai(sides.through).chat.completions.create(streamedChat)) break
    const completion = await openai(sides.through).chat.completions.create(chat)
    expect(completion.object).toBe('chat.completion')
  })
})
