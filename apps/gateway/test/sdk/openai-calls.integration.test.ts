import { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chat, collect, openai, streamedChat } from './clients.ts'
import { resultOf } from './outcome.ts'
import { type Sides, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
beforeEach(() => sides.reset())
afterAll(async () => await sides[Symbol.asyncDispose]())

describe('chat.completions', () => {
  it('gives the same completion, response headers and request as without the gateway', async () => {
    const outcome = await sides.same(async (side) => {
      const { data, response } = await openai(side).chat.completions.create(chat).withResponse()
      return { data, status: response.status, headers: response.headers }
    })
    const { data } = resultOf(outcome)
    expect(data.choices[0]?.message.content).toContain('潮')
  })

  it('streams the same chunks, usage among them', async () => {
    const outcome = await sides.same(async (side) => {
      const stream_options = { include_usage: true }
      const body = { ...streamedChat, stream_options }
      const { data, response } = await openai(side).chat.completions.create(body).withResponse()
      return { chunks: await collect(data), headers: response.headers }
    })
    const { chunks } = resultOf(outcome)
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(8)
  })

  it('streams the same chunks without usage', async () => {
    const outcome = await sides.same(async (side) =>
      collect(await openai(side).chat.completions.create(streamedChat)),
    )
    expect(resultOf(outcome).every((chunk) => !('usage' in chunk))).toBe(true)
  })

  it('emits the same events from the stream helper and ends with the same completion', async () => {
    await sides.same(async (side) => {
      const runner = openai(side).chat.completions.stream(chat)
      const deltas: string[] = []
      runner.on('content', (delta) => deltas.push(delta))
      return { completion: await runner.finalChatCompletion(), deltas }
    })
  })

  it.each(['gzip', 'br', 'deflate'] as const)(
    'reads %s answers, plain and streamed',
    async (encoding) => {
      sides.tell((provider) => provider.always({ encoding }))
      await sides.same(async (side) => openai(side).chat.completions.create(chat))
      const outcome = await sides.same(async (side) =>
        collect(await openai(side).chat.completions.create(streamedChat)),
      )
      expect(resultOf(outcome)).toHaveLength(10)
    },
  )

  it.each([
    ['split inside characters and line ends', { cut: 'awkward', lineEnd: '\r\n' }],
    ['in one piece', { cut: 'whole' }],
    ['with comments between', { comments: true }],
    ['with an event of 100 kB', { padFirstEvent: 100_000, cut: 1_000 }],
    ['without [DONE]', { omitDone: true }],
    ['until the connection closes', { framing: 'close' }],
  ] as const)('streams the same chunks when they come %s', async (_, behaviour) => {
    sides.tell((provider) => provider.always(behaviour))
    const outcome = await sides.same(async (side) =>
      collect(await openai(side).chat.completions.create(streamedChat)),
    )
    expect(resultOf(outcome)).toHaveLength(10)
  })

  it('hands each chunk on before the next one exists', async () => {
    const gates = Array.from({ length: 11 }, () => Promise.withResolvers<void>())
    const open = (index: number) => gates[index]?.resolve()
    sides.through.provider.always({ beforeEvent: (index) => gates[index]?.promise })
    const stream = await openai(sides.through).chat.completions.create(streamedChat)
    const iterator = stream[Symbol.asyncIterator]()
    for (let index = 0; index < 10; index += 1) {
      open(index)
      expect((await iterator.next()).done).toBe(false)
    }
    open(10)
    expect((await iterator.next()).done).toBe(true)
  })

  it('passes query parameters and headers of a request on', async () => {
    const query = { trace: 'a b/ü', list: 'x,y' }
    const headers = { 'x-team': 'tide', 'openai-beta': 'assistants=v2' }
    await sides.same(async (side) => openai(side).chat.completions.create(chat, { query, headers }))
    const { lastRequest } = sides.through.provider
    expect(lastRequest.target).toBe(sides.direct.provider.lastRequest.target)
    expect(lastRequest.header('x-team')).toBe('tide')
  })
})

describe('responses', () => {
  const body = { model: 'gpt-4o-mini', input: 'Tell me of the tide.', instructions: 'Be brief.' }

  it('gives the same response', async () => {
    const outcome = await sides.same(async (side) => openai(side).responses.create(body))
    expect(resultOf(outcome).output_text).toContain('Tides')
  })

  it('streams the same events', async () => {
    const outcome = await sides.same(async (side) =>
      collect(await openai(side).responses.create({ ...body, stream: true })),
    )
    expect(resultOf(outcome).at(-1)?.type).toBe('response.completed')
  })

  it('emits the same events from the stream helper and ends with the same response', async () => {
    await sides.same(async (side) => {
      const stream = openai(side).responses.stream(body)
      const deltas: string[] = []
      stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta))
      return { final: await stream.finalResponse(), deltas }
    })
  })

  it('streams an incomplete response as such', async () => {
    sides.tell((provider) => provider.always({ finishReason: 'max_output_tokens' }))
    const outcome = await sides.same(async (side) =>
      collect(await openai(side).responses.create({ ...body, stream: true })),
    )
    expect(resultOf(outcome).at(-1)?.type).toBe('response.incomplete')
  })
})

describe('embeddings', () => {
  it('gives the same vectors, asked for as base64 or as numbers', async () => {
    const body = { model: 'text-embedding-3-small', input: ['high tide', 'low tide'] }
    const base64 = await sides.same(async (side) => openai(side).embeddings.create(body))
    const floats = await sides.same(async (side) =>
      openai(side).embeddings.create({ ...body, encoding_format: 'float' }),
    )
    expect(sides.through.provider.requests[0]?.json).toMatchObject({ encoding_format: 'base64' })
    expect(resultOf(base64).data).toEqual(resultOf(floats).data)
  })
})

describe('models', () => {
  it('lists the same models and finds the same one', async () => {
    const listed = await sides.same(async (side) => collect(await openai(side).models.list()))
    expect(resultOf(listed).map(({ id }) => id)).toContain('gpt-4o-mini')
    const found = await sides.same(async (side) => openai(side).models.retrieve('gpt-4o-mini'))
    expect(resultOf(found).id).toBe('gpt-4o-mini')
  })
})

describe('files', () => {
  it.each([
    ['a small file', 1_000],
    ['one of a megabyte', 1_000_000],
  ])('uploads, describes, downloads and deletes %s', async (_, size) => {
    const bytes = Buffer.alloc(
      size,
      Uint8Array.from({ length: 256 }, (__, index) => (index * 7) & 0xff),
    )
    const outcome = await sides.same(async (side) => {
      const { files } = openai(side)
      const file = await toFile(bytes, 'tides "é" 潮.bin', { type: 'application/octet-stream' })
      const created = await files.create({ file, purpose: 'user_data' })
      const described = await files.retrieve(created.id)
      const response = await files.content(created.id)
      const content = Buffer.from(await response.arrayBuffer())
      const listed = await collect(await files.list())
      return { created, described, content, listed, deleted: await files.delete(created.id) }
    })
    const { created, content } = resultOf(outcome)
    expect(created.bytes).toBe(size)
    expect(content.equals(bytes)).toBe(true)
  })
})

describe('audio', () => {
  it('downloads the same speech, byte for byte', async () => {
    const outcome = await sides.same(async (side) => {
      const response = await openai(side).audio.speech.create({
        model: 'tts-1',
        voice: 'alloy',
        input: 'High tide.',
      })
      return { bytes: Buffer.from(await response.arrayBuffer()), headers: response.headers }
    })
    expect(resultOf(outcome).bytes).toHaveLength(64 * 1024)
  })

  it.each(['json', 'text'] as const)('transcribes the same upload to %s', async (format) => {
    const recording = Buffer.alloc(200_000, 'wave')
    const outcome = await sides.same(async (side) =>
      openai(side).audio.transcriptions.create({
        file: await toFile(recording, 'tide.wav', { type: 'audio/wav' }),
        model: 'whisper-1',
        response_format: format,
      }),
    )
    expect(JSON.stringify(resultOf(outcome))).toContain('Tides')
  })
})
