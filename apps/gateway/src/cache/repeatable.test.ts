import { describe, expect, it } from 'vitest'
import type { RouteCacheSettings } from '../config/settings.ts'
import { canonicalObject } from './canonical-json.ts'
import { lesserOf, reuseOfBody, reuseOfTarget } from './repeatable.ts'

const cache: RouteCacheSettings = {
  ...{ ttl: 1, stale: 0, staleOnError: 0, scope: 'key', vary: [], methods: ['GET'] },
}

function target(
  method: string,
  path: string,
  protocol: 'openai' | 'http' = 'openai',
  kept: RouteCacheSettings | undefined = cache,
) {
  return reuseOfTarget({ primary: { protocol }, cache: kept }, method, path)
}

function body(fields: object, path = '/v1/chat/completions') {
  const canonical = canonicalObject(Buffer.from(JSON.stringify(fields)))
  return canonical && reuseOfBody(path, canonical)
}

describe('on AI protocols', () => {
  it.each([
    ...['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses'],
    ...['/v1/messages', '/v1/messages/count_tokens', '/v1/moderations', '/v1/rerank'],
  ])('a POST to %s can be answered again', (path) => {
    expect(target('POST', path)).toBe('keep')
    expect(target('PUT', path)).toBe('none')
    expect(reuseOfTarget({ primary: { protocol: 'openai' }, cache: undefined }, 'POST', path)).toBe(
      'share',
    )
  })

  it.each(['/v1/models', '/v1/models/gpt-4o', '/v1/models/org/model'])('so can GET %s', (path) => {
    expect(target('GET', path)).toBe('keep')
    expect(target('DELETE', path)).toBe('none')
  })

  it.each([
    ...['/v1/files', '/v1/batches', '/v1/messages/batches', '/v1/images/generations'],
    ...['/v1/responses/resp_1/cancel', '/v1/audio/transcriptions', '/v1/chat/completions/x'],
    ...['/v1/threads/t/messages/m', '/v1/fine_tuning/jobs'],
  ])('%s does something each time', (path) => {
    expect(target('POST', path)).toBe('none')
    expect(target('GET', path)).toBe('none')
  })

  it.each([
    { background: true },
    { conversation: 'conv_1' },
    { conversation: { id: 'conv_1' } },
    { container: 'c' },
    { mcp_servers: [{ url: 'https://x' }] },
    { tools: [{ type: 'mcp', server_url: 'https://x' }] },
    { tools: [{ type: 'code_interpreter' }] },
    { tools: [{ type: 'code_execution_20250522', name: 'code_execution' }] },
  ])('%j does something each time', (fields) => {
    expect(body(fields)).toBe('none')
  })

  it.each([
    {},
    { stream: true, temperature: 1, n: 2 },
    { background: false, conversation: null, mcp_servers: [], store: false },
    { tools: [{ type: 'function', function: { name: 'mcp' } }] },
    { messages: [{ role: 'user', content: '"type":"mcp"' }] },
  ])('%j only asks', (fields) => {
    expect(body(fields)).toBe('keep')
  })

  it('what the provider keeps is shared while it is under way, and never kept here', () => {
    expect(body({ store: true })).toBe('share')
    expect(body({}, '/v1/responses')).toBe('share')
    expect(body({ store: false }, '/v1/responses')).toBe('keep')
  })
})

describe('on plain services', () => {
  it('it is what the route says', () => {
    expect(target('GET', '/a', 'http')).toBe('keep')
    expect(target('POST', '/a', 'http')).toBe('none')
    expect(target('POST', '/a', 'http', { ...cache, methods: ['POST'] })).toBe('keep')
    expect(target('GET', '/a', 'http', { ...cache, methods: ['POST'] })).toBe('none')
    const uncached = { primary: { protocol: 'http' }, cache: undefined } as const
    expect(reuseOfTarget(uncached, 'GET', '/a')).toBe('share')
    expect(reuseOfTarget(uncached, 'POST', '/a')).toBe('none')
  })
})

describe('lesserOf', () => {
  it('is the stricter', () => {
    expect(lesserOf('keep', 'share')).toBe('share')
    expect(lesserOf('keep', 'keep')).toBe('keep')
    expect(lesserOf('share', 'none')).toBe('none')
  })
})
