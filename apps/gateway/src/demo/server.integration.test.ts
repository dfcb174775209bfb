import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DemoModel, startDemoModel } from './server.ts'

let demo: DemoModel

beforeAll(async () => {
  demo = await startDemoModel({ paceMs: 0, now: () => 1_800_000_000_000 })
})
afterAll(() => demo.close())

const hello = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello there' }] }

function post(path: string, body: unknown): Promise<Response> {
  return fetch(`${demo.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function readJson(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>
}

async function readEvents(response: Response): Promise<string[]> {
  const text = await response.text()
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''))
}

describe('startDemoModel', () => {
  it('listens on loopback alone', () => {
    expect(demo.url.hostname).toBe('127.0.0.1')
    expect(demo.url.pathname).toBe('/v1')
  })

  it('lists its one model and marks every answer', async () => {
    const list = await fetch(`${demo.url}/models`)
    expect(list.headers.get('x-tidegate-demo')).toBe('true')
    expect(await list.json()).toMatchObject({ object: 'list', data: [{ id: 'tidegate-demo' }] })
    const one = await fetch(`${demo.url}/models/tidegate-demo`)
    expect(await one.json()).toMatchObject({ id: 'tidegate-demo', object: 'model' })
  })

  it('says what it is, what the user said, and how to get a real model', async () => {
    const response = await post('/chat/completions', hello)
    expect(response.status).toBe(200)
    expect(response.headers.get('x-tidegate-demo')).toBe('true')
    const body = await readJson(response)
    expect(body).toMatchObject({
      object: 'chat.completion',
      created: 1_800_000_000,
      model: 'tidegate-demo',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant' } }],
    })
    const text = JSON.stringify(body.choices)
    expect(text).toContain('local demo model')
    expect(text).toContain('Hello there')
    expect(text).toContain('OPENAI_API_KEY')
    expect(body.usage).toMatchObject({ prompt_tokens: 3 })
  })

  it('answers the last user message, also when its content is a list of parts', async () => {
    const response = await post('/chat/completions', {
      ...hello,
      messages: [
        { role: 'system', content: 'Be kind' },
        { role: 'user', content: 'first' },
        { role: 'assistant', content: null },
        { role: 'user', content: [{ type: 'text', text: 'second' }, { type: 'image_url' }] },
      ],
    })
    const text = JSON.stringify(await response.json())
    expect(text).toContain('second')
    expect(text).not.toContain('first')
  })

  it('stops at max_tokens and says so', async () => {
    const response = await post('/chat/completions', { ...hello, max_tokens: 2 })
    expect(await response.json()).toMatchObject({
      choices: [{ finish_reason: 'length', message: { content: 'This is ' } }],
      usage: { completion_tokens: 2 },
    })
  })

  it('streams a role, the words of the plain answer, an end and [DONE]', async () => {
    const plain = await readJson(await post('/chat/completions', hello))
    const response = await post('/chat/completions', { ...hello, stream: true })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const events = await readEvents(response)
    expect(events.at(-1)).toBe('[DONE]')
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event))
    expect(chunks[0].choices[0].delta).toMatchObject({ role: 'assistant', content: '' })
    expect(chunks.every((chunk) => chunk.object === 'chat.completion.chunk')).toBe(true)
    expect(chunks.every((chunk) => !('usage' in chunk))).toBe(true)
    expect(chunks.at(-1).choices[0].finish_reason).toBe('stop')
    const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join('')
    expect(plain).toMatchObject({ choices: [{ message: { content: text } }] })
  })

  it('adds a chunk with the usage when asked', async () => {
    const body = { ...hello, stream: true, stream_options: { include_usage: true } }
    const events = await readEvents(await post('/chat/completions', body))
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event))
    expect(chunks[0].usage).toBeNull()
    expect(chunks.at(-1).choices).toEqual([])
    expect(chunks.at(-1).usage).toMatchObject({ prompt_tokens: 3 })
  })

  it('ends at once what is running when it closes', async () => {
    const slow = await startDemoModel({ paceMs: 60_000 })
    const response = await fetch(`${slow.url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ ...hello, stream: true }),
    })
    const reading = response.text()
    await slow.close()
    await expect(reading).rejects.toThrow()
  })

  it('goes on serving after a client left in mid-stream', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${demo.url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ ...hello, stream: true }),
      signal: leaving.signal,
    })
    leaving.abort()
    await expect(response.text()).rejects.toThrow()
    expect((await post('/chat/completions', hello)).status).toBe(200)
  })
})

describe('embeddings', () => {
  it('gives the same unit vector in both encodings', async () => {
    const floats = await readJson(await post('/embeddings', { model: 'm', input: 'a b c' }))
    const base64 = await readJson(
      await post('/embeddings', { model: 'm', input: 'a b c', encoding_format: 'base64' }),
    )
    const vector = (floats.data as { embedding: number[] }[])[0]?.embedding ?? []
    const bytes = Buffer.from(
      (base64.data as { embedding: string }[])[0]?.embedding ?? '',
      'base64',
    )
    expect(vector).toHaveLength(256)
    expect(vector).toEqual(vector.map((_, index) => bytes.readFloatLE(index * 4)))
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
  })

  it.each([
    ['a text', 'tide', 1],
    ['texts', ['tide', 'gate'], 2],
    ['tokens', [1, 2, 3], 1],
    ['arrays of tokens', [[1], [2, 3]], 2],
  ])('takes %s', async (_, input, count) => {
    const body = await readJson(await post('/embeddings', { model: 'm', input, dimensions: 8 }))
    const data = body.data as { index: number; embedding: number[] }[]
    expect(data.map(({ index }) => index)).toEqual([...Array(count).keys()])
    expect(data.every(({ embedding }) => embedding.length === 8)).toBe(true)
  })
})

describe('refusals', () => {
  it.each([
    ['malformed JSON', '/chat/completions', '{"model":', null],
    ['invalid UTF-8 or no object', '/chat/completions', '[]', null],
    ['no model', '/chat/completions', { messages: hello.messages }, 'model'],
    ['no messages', '/chat/completions', { model: 'm' }, 'messages'],
    ['no message at all', '/chat/completions', { model: 'm', messages: [] }, 'messages'],
    [
      'a message without a role',
      '/chat/completions',
      { model: 'm', messages: [{ content: 'x' }] },
      'messages[0].role',
    ],
    [
      'a content of another type',
      '/chat/completions',
      { model: 'm', messages: [{ role: 'user', content: 7 }] },
      'messages[0].content',
    ],
    ['a stream that is no boolean', '/chat/completions', { ...hello, stream: 'yes' }, 'stream'],
    ['several choices', '/chat/completions', { ...hello, n: 2 }, 'n'],
    ['several streamed choices', '/chat/completions', { ...hello, n: 2, stream: true }, 'n'],
    ['no input', '/embeddings', { model: 'm' }, 'input'],
    ['an empty input', '/embeddings', { model: 'm', input: '' }, 'input'],
    ['mixed inputs', '/embeddings', { model: 'm', input: ['a', 1] }, 'input'],
    [
      'an unknown encoding',
      '/embeddings',
      { model: 'm', input: 'a', encoding_format: 'hex' },
      'encoding_format',
    ],
    ['no dimensions', '/embeddings', { model: 'm', input: 'a', dimensions: 0 }, 'dimensions'],
  ])('answers %s with a 400 that names the field', async (_, path, body, param) => {
    const response = await post(path, body)
    expect(response.status).toBe(400)
    const { error } = await readJson(response)
    expect(error).toMatchObject({ type: 'invalid_request_error', param })
  })

  it('tells a missing field from a wrong one', async () => {
    const missing = await readJson(await post('/embeddings', { model: 'm' }))
    expect(missing.error).toMatchObject({
      message: "Missing required parameter: 'input'.",
      code: 'missing_required_parameter',
    })
    const wrong = await readJson(await post('/chat/completions', { ...hello, model: 3 }))
    expect(wrong.error).toMatchObject({ code: 'invalid_type' })
  })

  it('answers 413 above 1 MB, of unknown length too', async () => {
    const big = JSON.stringify({ ...hello, pad: 'x'.repeat(1024 * 1024) })
    expect((await post('/chat/completions', big)).status).toBe(413)
    const status = await new Promise((resolve, reject) => {
      const sent = httpRequest(`${demo.url}/embeddings`, { method: 'POST' }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.on('error', reject)
      sent.write(big.slice(0, 100))
      sent.end(big.slice(100))
    })
    expect(status).toBe(413)
  })

  it('answers other paths, models and methods by saying what there is', async () => {
    const path = await post('/audio/speech', {})
    expect(path.status).toBe(404)
    expect(JSON.stringify(await path.json())).toContain('POST /v1/chat/completions')
    const model = await fetch(`${demo.url}/models/gpt-9`)
    expect(model.status).toBe(404)
    expect((await readJson(model)).error).toMatchObject({ code: 'model_not_found' })
    const method = await fetch(`${demo.url}/chat/completions`)
    expect(method.status).toBe(405)
    expect(method.headers.get('allow')).toBe('POST')
  })
})
