import { describe, expect, it } from 'vitest'
import { tokenEndpoint } from './endpoints.ts'

describe('tokenEndpoint', () => {
  it.each([
    ['/v1/chat/completions', 'completions'],
    ['/openai/deployments/gpt/chat/completions', 'completions'],
    ['/v1/completions', 'completions'],
    ['/v1/responses', 'responses'],
    ['/v1/messages', 'messages'],
    ['/v1/embeddings', 'input'],
    ['/v1/images/generations', 'input'],
    ['/v1/messages/batches', 'input'],
    ['/v1/chat/completions/', 'completions'],
    ['/V1/Chat/Completions', 'completions'],
    ['/v1/chat//completions;v=1//;', 'completions'],
  ])('knows what %s generates', (path, endpoint) => {
    expect(tokenEndpoint('POST', path)).toBe(endpoint)
  })

  it.each([
    '/v1/messages/count_tokens',
    '/v1/responses/input_tokens',
    '/v1/responses/resp_1/cancel',
    '/v1/files',
    '/v1/uploads/upload_1/parts',
    '/v1/moderations',
  ])('counts nothing on %s', (path) => {
    expect(tokenEndpoint('POST', path)).toBeUndefined()
  })

  it.each(['GET', 'DELETE', 'HEAD'])('counts nothing of %s', (method) => {
    expect(tokenEndpoint(method, '/v1/responses')).toBeUndefined()
  })
})
