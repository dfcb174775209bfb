import { describe, expect, it } from 'vitest'
import { modelIn, operationOf } from './model-name.ts'

const found = (text: string): string | undefined => modelIn(Buffer.from(text))

describe('modelIn', () => {
  it.each([
    ['{"model":"gpt-5","messages":[]}', 'gpt-5'],
    ['{"messages":[{"content":"hi"}],\n  "model" :\t"claude-x"}', 'claude-x'],
    ['data: {"id":"1","model":"m-1","choices":[', 'm-1'],
    ['{"tools":[{"parameters":{"model":{"type":"string"}}}],"model":"m"}', 'm'],
    ['{"messages":[{"content":"say \\"model\\":\\"x\\" please"}],"model":"y"}', 'y'],
  ])('finds it in %j', (text, model) => {
    expect(found(text)).toBe(model)
  })

  it.each([
    ['', 'nothing'],
    ['{"model', 'a cut name'],
    ['{"model":', 'a cut member'],
    ['{"model":"gpt', 'a cut text'],
    ['{"model":""}', 'no text'],
    ['{"model":7}', 'a number'],
    ['{"model":"a\\u0062"}', 'an escape'],
    [`{"model":"${'m'.repeat(200)}"}`, 'a name that is far too long'],
  ])('finds none in %j: %s', (text) => {
    expect(found(text)).toBeUndefined()
  })
})

describe('operationOf', () => {
  it.each([
    ['POST', '/v1/chat/completions', 'chat'],
    ['POST', '/v1/completions', 'text_completion'],
    ['POST', '/v1/messages', 'chat'],
    ['POST', '/v1/responses', 'chat'],
    ['POST', '/v1/embeddings', 'embeddings'],
    ['POST', '/v1/audio/speech', undefined],
    ['GET', '/v1/models', undefined],
    ['POST', '/v1/messages/count_tokens', undefined],
  ])('%s %s is %s', (method, path, operation) => {
    expect(operationOf({ method, path })).toBe(operation)
  })
})
