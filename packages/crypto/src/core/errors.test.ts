import { describe, expect, it } from 'vitest'
import { CryptoError, isCryptoError } from './errors.ts'

describe('isCryptoError', () => {
  it('knows its own, and those of another copy of the package', () => {
    expect(isCryptoError(new CryptoError('corrupt', 'x'))).toBe(true)
    const copied = Object.assign(new Error('x'), { name: 'CryptoError', code: 'unknown_key' })
    expect(isCryptoError(copied)).toBe(true)
  })

  it('knows others for others', () => {
    for (const other of [
      undefined,
      'corrupt',
      new Error('corrupt'),
      Object.assign(new Error('x'), { code: 'corrupt' }),
      Object.assign(new Error('x'), { name: 'CryptoError', code: 'ENOENT' }),
      { name: 'CryptoError', code: 'corrupt' },
    ]) {
      expect(isCryptoError(other)).toBe(false)
    }
  })
})
