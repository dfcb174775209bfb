import { describe, expect, it } from 'vitest'
import { describeFailure } from './failure.ts'

function listenError(code: string): Error {
  return Object.assign(new Error('x'), { code, syscall: 'listen', address: '127.0.0.1', port: 80 })
}

describe('describeFailure', () => {
  it.each([
    ['EADDRINUSE', 'Something listens on port 80 of 127.0.0.1 already'],
    ['EACCES', 'may not listen on port 80'],
    ['EADDRNOTAVAIL', '127.0.0.1 is no address of this machine'],
  ])('explains %s', (code, text) => {
    expect(describeFailure(listenError(code))).toContain(text)
  })

  it('explains a host that has no address', () => {
    const error = Object.assign(new Error('x'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
    expect(describeFailure(error)).toContain('check HOST')
  })

  it('keeps to one line for what it does not know', () => {
    expect(describeFailure(new Error('first\nsecond'))).toBe('first')
    expect(describeFailure(new Error(''))).toBe('It could not start.')
    expect(describeFailure('text')).toBe('text')
    expect(describeFailure(undefined)).toBe('undefined')
  })
})
