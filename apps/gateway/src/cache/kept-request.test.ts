import { describe, expect, it } from 'vitest'
import { decodeRequest, encodeRequest, type KeptRequest } from './kept-request.ts'

const request: KeptRequest = {
  ...{ method: 'POST', target: '/v1/chat/completions?a=1', headers: ['accept', 'text/plain'] },
  body: Buffer.from([0, 1, 2, 255]),
  identity: { kind: 'jwt', id: 'ada', user: 'ada' },
}

describe('a kept request', () => {
  it('is read back as it was', () => {
    expect(decodeRequest(encodeRequest(request))).toEqual(request)
    expect(decodeRequest(encodeRequest({ ...request, body: null }))).toMatchObject({ body: null })
  })

  it.each(['', '{', 'null', '{"form":2}', '[]'])('is not read out of %j', (text) => {
    expect(decodeRequest(Buffer.from(text))).toBeUndefined()
  })
})
