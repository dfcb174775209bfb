import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openBytes, sealBytes } from './aes-gcm.ts'

interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
  readonly result: 'valid' | 'invalid'
}

const FILE = new URL('../../../vectors/wycheproof-aes-256-gcm.json', import.meta.url)
const { tests } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly tests: readonly Vector[] }
const hex = (text: string) => Buffer.from(text, 'hex')
const inputsOf = ({ key, iv, aad }: Vector) => ({ key: hex(key), iv: hex(iv), aad: hex(aad) })
const zeros = { key: new Uint8Array(32), iv: new Uint8Array(12) }

describe('Wycheproof, AES-256-GCM', () => {
  it('has every case of the group', () => {
    expect(tests.map(({ tcId }) => tcId)).toEqual(Array.from({ length: 66 }, (_, i) => 91 + i))
    expect(tests.filter(({ result }) => result === 'invalid')).toHaveLength(27)
  })

  it.each(tests.filter(({ result }) => result === 'valid'))('seals and opens $tcId', (vector) => {
    const sealed = sealBytes({ ...inputsOf(vector), plaintext: hex(vector.msg) })
    expect(Buffer.from(sealed).toString('hex')).toBe(vector.ct + vector.tag)
    const opened = openBytes({ ...inputsOf(vector), sealed: hex(vector.ct + vector.tag) })
    expect(Buffer.from(opened).toString('hex')).toBe(vector.msg)
  })

  it.each(tests.filter(({ result }) => result === 'invalid'))(
    'refuses $tcId: $comment',
    (vector) => {
      const open = () => openBytes({ ...inputsOf(vector), sealed: hex(vector.ct + vector.tag) })
      expect(open).toThrow(expect.objectContaining({ code: 'corrupt' }))
    },
  )
})

describe('sealBytes', () => {
  it('takes a KeyObject as well as bytes', () => {
    const plaintext = Buffer.from('hello')
    const sealed = sealBytes({ ...zeros, key: createSecretKey(zeros.key), plaintext })
    expect(sealed).toEqual(sealBytes({ ...zeros, plaintext }))
  })

  it.each([
    ['a key of 16 bytes', { ...zeros, key: new Uint8Array(16) }],
    ['a KeyObject of 16 bytes', { ...zeros, key: createSecretKey(new Uint8Array(16)) }],
    ['an iv of 16 bytes', { ...zeros, iv: new Uint8Array(16) }],
    ['an empty iv', { ...zeros, iv: new Uint8Array(0) }],
  ])('refuses %s', (_, options) => {
    const refusal = expect.objectContaining({ code: 'invalid_option' })
    expect(() => sealBytes({ ...options, plaintext: new Uint8Array(1) })).toThrow(refusal)
    expect(() => openBytes({ ...options, sealed: new Uint8Array(17) })).toThrow(refusal)
  })
})

describe('openBytes', () => {
  it('takes no shorter tag for a tag', () => {
    const sealed = sealBytes({ ...zeros, plaintext: new Uint8Array(0) })
    for (let length = 0; length < 16; length++) {
      expect(() => openBytes({ ...zeros, sealed: sealed.subarray(0, length) })).toThrow(
        expect.objectContaining({ code: 'corrupt' }),
      )
    }
  })

  it('refuses another aad, and none where there was one', () => {
    const sealed = sealBytes({ ...zeros, plaintext: new Uint8Array(3), aad: Buffer.from('mine') })
    for (const aad of [undefined, Buffer.from('yours'), Buffer.from('')]) {
      expect(() => openBytes({ ...zeros, sealed, aad })).toThrow(
        expect.objectContaining({ code: 'corrupt' }),
      )
    }
  })
})
