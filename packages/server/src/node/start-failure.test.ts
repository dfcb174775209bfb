import { describe, expect, it } from 'vitest'
import { describeStartFailure } from './start-failure.ts'

const told = (error: unknown): string => describeStartFailure(error, { host: 'HOST', port: 'PORT' })

function listenError(code: string): Error {
  return Object.assign(new Error('x'), { code, syscall: 'listen', address: '127.0.0.1', port: 80 })
}

describe('describeStartFailure', () => {
  it.each([
    ['EADDRINUSE', 'Something listens on port 80 of 127.0.0.1 already; stop it, or set PORT'],
    ['EACCES', 'may not listen on port 80'],
    ['EADDRNOTAVAIL', '127.0.0.1 is no address of this machine'],
  ])('explains %s', (code, text) => {
    expect(told(listenError(code))).toContain(text)
  })

  it('explains a host that has no address', () => {
    const error = Object.assign(new Error('x'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
    expect(told(error)).toContain('check HOST')
  })

  it('keeps to one line for what it does not know', () => {
    expect(told(new Error('first\nsecond'))).toBe('first')
    expect(told(new Error(''))).toBe('It could not start.')
    expect(told('text')).toBe('text')
    expect(told(undefined)).toBe('undefined')
  })
})
