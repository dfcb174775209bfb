import { describe, expect, it } from 'vitest'
import { connectionTokens, requestHeaders, responseHeaders } from './headers.ts'

const keep = { replacement: undefined }

describe('requestHeaders', () => {
  it("puts the trace context of ours in the client's place, and leaves that alone where there is none", () => {
    const raw = ['TraceParent', 'theirs', 'TRACESTATE', 'a=1', 'trace_state', 'b=1', 'A', '1']
    const ours = ['traceparent', 'ours']
    const sent = requestHeaders(raw, undefined, keep, undefined, false, ours)
    expect(sent).toEqual(['trace_state', 'b=1', 'A', '1', 'traceparent', 'ours'])
    expect(requestHeaders(raw, undefined, keep, undefined)).toEqual(raw)
  })

  it('keeps order, spelling and repeats of what crosses', () => {
    const raw = ['User-Agent', 'x', 'X-Custom', '1', 'x-custom', '2', 'Cookie', 'a=b']
    expect(requestHeaders(raw, undefined, keep, undefined)).toEqual(raw)
  })

  it('drops hop-by-hop headers and those that Connection names', () => {
    const raw = ['Connection', 'close, X-Hop', 'X-Hop', '1', 'Keep-Alive', '5', 'TE', 'trailers']
    raw.push('Upgrade', 'h2c', 'Proxy-Authorization', 'x', 'Transfer-Encoding', 'chunked', 'A', '1')
    expect(requestHeaders(raw, 'close, X-Hop', keep, undefined)).toEqual(['A', '1'])
  })

  it('drops what a stranger says of the client, and the admin key', () => {
    const raw = ['X-Forwarded-For', '1.2.3.4', 'x-forwarded-host', 'evil', 'Forwarded', 'for=1']
    raw.push('X-Real-IP', '1.2.3.4', 'X-Admin-Key', 'secret', 'X-Request-ID', 'theirs')
    expect(requestHeaders(raw, undefined, keep, undefined)).toEqual([])
  })

  it('takes a name with underscores for the one that some servers read it as', () => {
    const raw = ['X_Forwarded_For', '1.2.3.4', 'x-forwarded_host', 'evil', 'X_Admin_Key', 'secret']
    raw.push('X_Api_Key', 'a', 'Content_Length', '5', 'Transfer_Encoding', 'chunked', 'my_own', '1')
    expect(requestHeaders(raw, undefined, keep, ['x-api-key'])).toEqual(['my_own', '1'])
    const plan = { replacement: ['x-api-key', 'ours'] as const }
    expect(requestHeaders(['API_KEY', 'a'], undefined, plan, undefined)).toEqual([
      ...['x-api-key', 'ours'],
    ])
    const named = ['Connection', 'x_hop', 'X_Hop', '1']
    expect(requestHeaders(named, 'x_hop', keep, undefined)).toEqual([])
  })

  it('removes only the credential that the gateway consumed', () => {
    const raw = ['Authorization', 'Bearer gateway', 'x-api-key', 'provider']
    expect(requestHeaders(raw, undefined, keep, ['authorization'])).toEqual([
      'x-api-key',
      'provider',
    ])
  })

  it("replaces every credential of the client by the endpoint's", () => {
    const raw = ['Authorization', 'Bearer a', 'x-api-key', 'b', 'api-key', 'c']
    const plan = { replacement: ['x-api-key', 'ours'] as const }
    expect(requestHeaders(raw, undefined, plan, undefined)).toEqual(['x-api-key', 'ours'])
  })
})

describe('responseHeaders', () => {
  const cross = (headers: Record<string, string | string[]>, ours: string[] = []): string[] => {
    const out: string[] = []
    responseHeaders(headers, ours, out)
    return out
  }

  it('keeps every cookie', () => {
    expect(cross({ 'set-cookie': ['a=1', 'b=2'] })).toEqual([
      'set-cookie',
      'a=1',
      'set-cookie',
      'b=2',
    ])
  })

  it('drops hop-by-hop headers, those that Connection names, and CORS', () => {
    expect(
      cross({
        connection: 'X-Hop',
        'x-hop': '1',
        'keep-alive': 'timeout=5',
        'access-control-allow-origin': '*',
        'alt-svc': 'h3=":443"',
      }),
    ).toEqual([])
  })

  it("renames the upstream's request id and rate limits", () => {
    expect(cross({ 'x-request-id': 'u', 'x-ratelimit-limit-requests': '9' })).toEqual([
      'x-tidegate-upstream-request-id',
      'u',
      'x-tidegate-upstream-ratelimit-limit-requests',
      '9',
    ])
  })

  it('tells the limits of the gateway by the usual names, and those of the upstream by others', () => {
    const theirs = { ratelimit: '"u";r=1', 'ratelimit-policy': '"u";q=2', 'x-ratelimit-limit': '2' }
    const ours = ['ratelimit', '"g";r=5', 'ratelimit-policy', '"g";q=9', 'x-ratelimit-limit', '9']
    expect(cross(theirs, ours)).toEqual([
      ...['x-tidegate-upstream-ratelimit', '"u";r=1'],
      ...['x-tidegate-upstream-ratelimit-policy', '"u";q=2'],
      ...['x-tidegate-upstream-ratelimit-limit', '2'],
      ...ours,
    ])
  })

  it("renames an upstream's limits of earlier drafts too, which stand for no limit of ours", () => {
    const theirs = { 'ratelimit-limit': '5', 'ratelimit-remaining': '1', 'ratelimit-reset': '9' }
    expect(cross(theirs, ['ratelimit', '"g";r=5'])).toEqual([
      ...['x-tidegate-upstream-ratelimit-limit', '5'],
      ...['x-tidegate-upstream-ratelimit-remaining', '1'],
      ...['x-tidegate-upstream-ratelimit-reset', '9'],
      ...['ratelimit', '"g";r=5'],
    ])
  })

  it("keeps the upstream's own value of a security header, and our request id", () => {
    const ours = ['x-frame-options', 'DENY', 'x-request-id', 'r', 'referrer-policy', 'p']
    expect(cross({ 'x-frame-options': 'SAMEORIGIN' }, ours)).toEqual([
      'x-frame-options',
      'SAMEORIGIN',
      'x-request-id',
      'r',
      'referrer-policy',
      'p',
    ])
  })
})

describe('connectionTokens', () => {
  it('costs nothing for the ordinary values', () => {
    expect(connectionTokens('keep-alive')).toBeUndefined()
    expect(connectionTokens(undefined)).toBeUndefined()
  })

  it('names the listed headers in lower case', () => {
    expect(connectionTokens('Keep-Alive, X-A ,x-b')).toEqual(new Set(['x-a', 'x-b']))
  })
})
