import { errors } from 'undici'
import { describe, expect, it } from 'vitest'
import { faultOf } from './faults.ts'

function coded(code: string): Error {
  return Object.assign(new Error('connect failed: 10.1.2.3:443'), { code })
}

describe('faultOf', () => {
  it.each([
    [coded('ECONNREFUSED'), 'upstream_unreachable'],
    [coded('ENOTFOUND'), 'upstream_unreachable'],
    [coded('CERT_HAS_EXPIRED'), 'upstream_unreachable'],
    [coded('ETIMEDOUT'), 'upstream_connect_timeout'],
    [new errors.ConnectTimeoutError(), 'upstream_connect_timeout'],
    [coded('ECONNRESET'), 'upstream_reset'],
    [new errors.SocketError('other side closed'), 'upstream_reset'],
    [new errors.HeadersOverflowError(), 'upstream_bad_response'],
    [coded('HPE_INVALID_CONSTANT'), 'upstream_bad_response'],
    [new errors.HTTPParserError('not HTTP'), 'upstream_bad_response'],
    [coded('ERR_ASSERTION'), 'upstream_bad_response'],
  ])('names %s and tells no address', (error, code) => {
    const fault = faultOf(error)
    expect(fault).toMatchObject({ code, cause: error })
    expect(fault.message).toContain('upstream')
    expect(fault.message).not.toContain('10.1.2.3')
  })

  it('keeps no byte of an answer that could not be read', () => {
    const error = Object.assign(new errors.HTTPParserError('not HTTP'), { data: 'words' })
    expect(faultOf(error).cause).not.toHaveProperty('data')
  })

  it.each([new Error('ours'), new TypeError('ours as well')])('leaves %s as it is', (error) => {
    expect(faultOf(error)).toBe(error)
  })
})
