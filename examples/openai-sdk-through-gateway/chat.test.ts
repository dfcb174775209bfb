import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { ask, askInPieces, createClient } from './chat.ts'
import { type RunningGateway, startGateway } from './gateway.ts'

let folder: string
let gateway: RunningGateway
let client: OpenAI

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-example-'))
  gateway = await startGateway(folder)
  client = createClient(gateway.url)
})

after(async () => {
  assert.equal(await gateway.stop(), 0)
  await rm(folder, { recursive: true })
})

test('an answer comes whole', async () => {
  assert.match(await ask(client, 'demo', 'hello'), /demo model.*hello/is)
})

test('the same answer comes in pieces', async () => {
  const pieces: string[] = []
  for await (const piece of askInPieces(client, 'demo', 'hello')) pieces.push(piece)
  assert.ok(pieces.length > 1)
  assert.equal(pieces.join(''), await ask(client, 'demo', 'hello'))
})

test('models and embeddings are there too', async () => {
  const models = await client.models.list()
  const model = models.data[0]?.id ?? ''
  const { data } = await client.embeddings.create({ model, input: ['one', 'two'] })
  assert.equal(data.length, 2)
})

test('an error is of the class that the SDK has for it, with an id to ask about', async () => {
  const wrong = client.chat.completions.create({ model: 'demo', messages: [] })
  await assert.rejects(wrong, (error: unknown) => {
    assert.ok(error instanceof OpenAI.BadRequestError)
    assert.match(error.message, /messages/)
    assert.ok(error.requestID)
    return true
  })
})

test("the README's first curl is answered", async () => {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"model":"demo","messages":[{"role":"user","content":"hello"}]}',
  })
  assert.equal(response.status, 200)
})
