import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { AnswerReader } from './answer-reader.ts'

const answer = JSON.stringify({
  model: 'm-1',
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
})
const used = { input: 3, output: 5, total: 8 }

async function read(body: Buffer, encoding?: string, type = 'application/json') {
  const coded = encoding !== undefined && { 'content-encoding': encoding }
  const reader = AnswerReader.of({ 'content-type': type, ...coded }, true)
  for (let at = 0; at < body.length; at += 7) reader?.push(body.subarray(at, at + 7))
  await reader?.finish()
  return reader && { model: reader.model, usage: reader.usage }
}

describe('AnswerReader', () => {
  it('reads what passes plain, in pieces of any size', async () => {
    expect(await read(Buffer.from(answer))).toMatchObject({ usage: used })
    expect(
      (await read(Buffer.from(`data: ${answer}\n\n`), undefined, 'text/event-stream'))?.usage,
    ).toEqual(used)
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('looks into %s behind its end', async (encoding, pack) => {
    expect(await read(pack(answer), encoding)).toEqual({ model: 'm-1', usage: used })
  })

  it('says nothing of what it can not or need not unpack', async () => {
    const nothing = { model: undefined, usage: undefined }
    expect(await read(Buffer.from(answer), 'gzip')).toEqual(nothing)
    expect(await read(Buffer.from(answer), 'x-secret')).toEqual(nothing)
    expect(await read(gzipSync(Buffer.alloc(20 * 1024 * 1024)), 'gzip')).toEqual(nothing)
    const large = gzipSync(Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))))
    expect(await read(Buffer.concat([large, large]), 'gzip')).toEqual(nothing)
    expect(await read(Buffer.from(answer), undefined, 'audio/mpeg')).toBeUndefined()
  })
})
