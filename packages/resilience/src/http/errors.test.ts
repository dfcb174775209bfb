import { describe, expect, it } from 'vitest'
import { AbortedError, TimeoutError } from '../core/errors.ts'
import {
  AllEndpointsFailedError,
  ConnectionError,
  type HttpClientError,
  HttpStatusError,
  isHttpClientError,
  ResponseTooLargeError,
  ResponseValidationError,
  StreamInterruptedError,
} from './errors.ts'

const endpoint = 'https://api.example/v1'
const refused = new ConnectionError('ECONNREFUSED', false, { endpoint })

describe("the client's errors", () => {
  it.each([
    [
      refused,
      'The connection to https://api.example/v1 could not be made; nothing was sent (ECONNREFUSED).',
    ],
    [
      new ConnectionError('closed by the endpoint', true, { endpoint }),
      'The connection to https://api.example/v1 broke before the response was whole (closed by the endpoint).',
    ],
    [
      new HttpStatusError('GET', { status: 503, headers: {}, body: 'busy' }, { endpoint }),
      'GET to https://api.example/v1 was answered with status 503.',
    ],
    [
      new ResponseValidationError(200, [{ path: 'a.b', message: 'expected number' }], { endpoint }),
      'The response from https://api.example/v1 is not valid: a.b: expected number.',
    ],
    [
      new AllEndpointsFailedError([new TimeoutError('first_byte', 10), refused]),
      'All 2 attempts failed; the last: The connection to https://api.example/v1 could not be made; nothing was sent (ECONNREFUSED).',
    ],
    [
      new StreamInterruptedError(7, 'it broke.', { endpoint }),
      'The body from https://api.example/v1 broke off after 7 bytes: it broke.',
    ],
    [
      new ResponseTooLargeError(10, { endpoint }),
      'The response from https://api.example/v1 is larger than 10 bytes.',
    ],
  ])('say what happened: %s', (error, message) => {
    expect(error.message).toBe(message)
    expect(isHttpClientError(error)).toBe(true)
  })

  it('are recognised by their code, and by nothing less', () => {
    const copy = Object.assign(new Error('from another copy'), { code: 'timeout', timeline: [] })
    expect([new AbortedError('x'), copy].map(isHttpClientError)).toEqual([true, true])
    const others = [
      new Error('x'),
      { code: 'timeout', timeline: [] },
      Object.assign(new Error('x'), { code: 'timeout' }),
      Object.assign(new Error('x'), { code: 'toString', timeline: [] }),
      undefined,
    ]
    expect(others.map(isHttpClientError)).toEqual([false, false, false, false, false])
  })

  it('can be told apart exhaustively by their code', () => {
    const words = (error: HttpClientError): string => {
      switch (error.code) {
        case 'connection_failed':
          return error.reason
        case 'http_status':
          return String(error.status)
        default:
          return error.code
      }
    }
    expect(words(refused)).toBe('ECONNREFUSED')
  })

  it('list at most three issues in their message, and all as data', () => {
    const issues = ['a', 'b', 'c', 'd', 'e'].map((path) => ({ path, message: 'no' }))
    const error = new ResponseValidationError(200, issues)
    expect(error.message).toContain('a: no; b: no; c: no; and 2 more')
    expect(error.issues).toHaveLength(5)
  })

  it('say whether another try may do better', () => {
    const statuses = [400, 404, 408, 429, 500, 501, 503, 529]
    const passing = statuses.filter(
      (status) => new HttpStatusError('GET', { status, headers: {}, body: '' }).retryable,
    )
    expect(passing).toEqual([408, 429, 500, 503, 529])
    expect(refused.retryable).toBe(true)
    expect(new ResponseTooLargeError(1).retryable).toBe(false)
  })
})
