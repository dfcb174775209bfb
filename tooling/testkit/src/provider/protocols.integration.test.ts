import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Provider, startProvider } from './provider.ts'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
afterAll(() => provider[Symbol.asyncDispose]())

const messages = [{ role: 'user', content: 'Hi' }]
const spoken = 'Tides rise — 潮 🌊 naïve and fall.\n'

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  return await fetch(provider.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'm', ...body }),
  })
}

async function postJson(path: string, body: object) {
  return (await (await post(path, body)).json()) as Record<string, never>
}

/** The data of each event, parsed where it is JSON, and the event names. */
async function events(path: string, body: object) {
  const response = await post(path, { ...body, stream: true })
  const blocks = (await response.text()).split('\n\n').slice(0, -1)
  return blocks.map((block) => {
    const data = /^data: (.*)$/m.exec(block)?.[1] ?? ''
    const name = /^event: (.*)$/m.exec(block)?.[1]
    return { name, data: data.startsWith('{') ? JSON.parse(data) : data }
  })
}

describe('OpenAI', () => {
  it('completes a chat, plain and streamed, with the same words', async () => {
    const plain = await postJson('/v1/chat/completions', { messages })
    expect(plain).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: spoken }, finish_reason: 'stop' }],
      usage: { completion_tokens: 8 },
    })
    const streamed = await events('/v1/chat/completions', { messages })
    expect(streamed.at(-1)?.data).toBe('[DONE]')
    const chunks = streamed.slice(0, -1).map((event) => event.data)
    expect(chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join('')).toBe(spoken)
    expect(chunks.at(-1).choices[0].finish_reason).toBe('stop')
    expect(chunks.every((chunk) => !('usage' in chunk))).toBe(true)
  })

  it('adds the usage chunk when asked', async () => {
    const options = { stream_options: { include_usage: true } }
    const chunks = await events('/v1/chat/completions', { messages, ...options })
    expect(chunks[0]?.data.usage).toBeNull()
    expect(chunks.at(-2)?.data).toMatchObject({ choices: [], usage: { completion_tokens: 8 } })
  })

  it('completes text', async () => {
    const plain = await postJson('/v1/completions', { prompt: 'Hi' })
    expect(plain).toMatchObject({ object: 'text_completion', choices: [{ text: spoken }] })
    const streamed = await events('/v1/completions', { prompt: 'Hi' })
    expect(streamed.at(-1)?.data).toBe('[DONE]')
  })

  it('gives the same embedding as numbers and as base64', async () => {
    const plain = await postJson('/v1/embeddings', { input: ['a', 'b'] })
    const packed = await postJson('/v1/embeddings', { input: 'a', encoding_format: 'base64' })
    const [first, second] = plain.data as unknown as Array<{ embedding: number[] }>
    const [base64] = packed.data as unknown as Array<{ embedding: string }>
    const bytes = Buffer.from(base64?.embedding ?? '', 'base64')
    const unpacked = Array.from({ length: bytes.length / 4 }, (_, index) =>
      bytes.readFloatLE(index * 4),
    )
    expect(unpacked).toEqual(first?.embedding)
    expect(second?.embedding).not.toEqual(first?.embedding)
  })

  it('creates a response, plain and streamed', async () => {
    const plain = await postJson('/v1/responses', { input: 'Hi' })
    expect(plain).toMatchObject({
      object: 'response',
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text: spoken }] }],
      usage: { output_tokens: 8 },
    })
    const streamed = await events('/v1/responses', { input: 'Hi' })
    expect(streamed[0]?.name).toBe('response.created')
    expect(streamed.at(-1)).toMatchObject({
      name: 'response.completed',
      data: { response: { status: 'completed' } },
    })
    expect(streamed.map((event) => event.data.sequence_number)).toEqual([...streamed.keys()])
    expect(streamed.every((event) => event.name === event.data.type)).toBe(true)
    provider.next({ finishReason: 'max_output_tokens' })
    const cut = await events('/v1/responses', { input: 'Hi' })
    expect(cut.at(-1)?.name).toBe('response.incomplete')
  })

  it('keeps an uploaded file', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index & 0xff)
    const form = new FormData()
    form.set('purpose', 'batch')
    form.set('file', new Blob([bytes]), 'data.jsonl')
    const response = await fetch(`${provider.url}/v1/files`, { method: 'POST', body: form })
    const file = (await response.json()) as { id: string }
    expect(file).toMatchObject({ filename: 'data.jsonl', purpose: 'batch', bytes: bytes.length })
    const url = `${provider.url}/v1/files/${file.id}`
    const content = await fetch(`${url}/content`)
    expect(new Uint8Array(await content.arrayBuffer())).toEqual(bytes)
    expect(await (await fetch(url)).json()).toEqual(file)
    const list = await (await fetch(`${provider.url}/v1/files`)).json()
    expect(list).toMatchObject({ data: [file] })
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(200)
    expect((await fetch(url)).status).toBe(404)
  })

  it('speaks and listens', async () => {
    const speech = await post('/v1/audio/speech', { input: 'Hi' })
    expect(speech.headers.get('content-type')).toBe('audio/mpeg')
    expect((await speech.arrayBuffer()).byteLength).toBe(65_536)
    const form = new FormData()
    form.set('file', new Blob(['RIFF']), 'a.wav')
    const url = `${provider.url}/v1/audio/transcriptions`
    const heard = await fetch(url, { method: 'POST', body: form })
    expect(await heard.json()).toMatchObject({ text: spoken })
  })

  it('lists models', async () => {
    const list = await (await fetch(`${provider.url}/v1/models`)).json()
    expect(list).toMatchObject({
      object: 'list',
      data: [{ id: 'gpt-4o', object: 'model' }, {}, {}, {}, {}],
    })
    expect((await fetch(`${provider.url}/v1/models/gpt-0`)).status).toBe(404)
  })

  it.each([
    ['broken JSON', '{"model":', 'We could not parse the JSON body'],
    ['no model', '{}', 'you must provide a model parameter'],
  ])('refuses %s', async (_, body, message) => {
    const response = await fetch(`${provider.url}/v1/chat/completions`, { method: 'POST', body })
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as { error: { message: string } }
    expect(error.message).toContain(message)
  })

  it('answers behind a path prefix', async () => {
    const response = await post('/proxy/openai/v1/chat/completions', { messages })
    expect(response.status).toBe(200)
  })
})

describe('Anthropic', () => {
  it('creates a message, plain and streamed', async () => {
    const plain = await postJson('/v1/messages', { messages, max_tokens: 9 })
    expect(plain).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: spoken }],
      stop_reason: 'end_turn',
      usage: { output_tokens: 8 },
    })
    const streamed = await events('/v1/messages', { messages, max_tokens: 9 })
    const names = streamed.map((event) => event.name)
    expect(names.slice(0, 3)).toEqual(['message_start', 'content_block_start', 'ping'])
    expect(names.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop'])
    const text = streamed.map((event) => event.data.delta?.text ?? '').join('')
    expect(text).toBe(spoken)
  })

  it('counts tokens and lists models', async () => {
    expect(await postJson('/v1/messages/count_tokens', { messages })).toEqual({ input_tokens: 8 })
    const headers = { 'anthropic-version': '2023-06-01' }
    const list = await (await fetch(`${provider.url}/v1/models`, { headers })).json()
    expect(list).toMatchObject({ has_more: false, data: [{ type: 'model' }, {}] })
  })
})

describe('errors', () => {
  const statuses = [400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 529]

  it.each(statuses)('have the form of OpenAI at %i', async (status) => {
    const response = await post('/v1/chat/completions', { model: `error-${status}` })
    expect(response.status).toBe(status)
    const { error } = (await response.json()) as { error: Record<string, unknown> }
    expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type'])
    expect(response.headers.get('retry-after')).toBe(status === 429 ? '1' : null)
  })

  it.each(statuses)('have the form of Anthropic at %i', async (status) => {
    const response = await post('/v1/messages', { model: `error-${status}` })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: expect.any(String), message: expect.any(String) },
      request_id: response.headers.get('request-id'),
    })
  })

  it('are a page of the proxy in front at 502', async () => {
    const response = await post('/v1/messages', { model: 'error-502' })
    expect(response.headers.get('content-type')).toBe('text/html')
  })

  it('can be chosen by name', async () => {
    provider.next({ error: 'insufficient_quota' }, { error: 'context_length_exceeded' })
    const quota = await post('/v1/chat/completions', {})
    expect(quota.status).toBe(429)
    expect(await quota.json()).toMatchObject({ error: { code: 'insufficient_quota' } })
    const tooLong = await post('/v1/messages', {})
    expect(tooLong.status).toBe(400)
    expect(await tooLong.text()).toContain('prompt is too long')
  })
})
