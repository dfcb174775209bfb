import { hash } from 'node:crypto'
import { Secret } from '@tidegate/config'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyRing } from './key-ring.ts'

const plain = (id: string, key: string) => ({
  id,
  tier: undefined,
  secret: { plain: new Secret(key) },
})

/** A key as Node hands it over when its bytes came as UTF-8. */
const asReceived = (key: string): string => Buffer.from(key, 'utf8').toString('latin1')

describe('createKeyRing', () => {
  it('finds the owner of a plain and of a hashed key', () => {
    const ring = createKeyRing([
      plain('demo', 'correct horse'),
      {
        id: 'ci',
        tier: 'free',
        secret: { sha256: hash('sha256', 'battery', 'hex').toUpperCase() },
      },
    ])
    expect(ring('correct horse')?.identity).toEqual({ kind: 'key', id: 'demo' })
    expect(ring('battery')?.identity).toEqual({ kind: 'key', id: 'ci', tier: 'free' })
    expect(ring('staple')).toBeUndefined()
  })

  it('takes keys of any characters, sent as UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
        fc.pre(key.isWellFormed())
        expect(createKeyRing([plain('k', key)])(asReceived(key))?.identity.id).toBe('k')
      }),
    )
  })

  it('takes a key sent as Latin-1, as fetch sends it', () => {
    expect(createKeyRing([plain('k', 'clé-ü')])('clé-ü')?.identity.id).toBe('k')
  })

  it('knows nobody by a prefix, a longer key or an empty one', () => {
    const ring = createKeyRing([plain('k', 'abcdef')])
    for (const wrong of ['abcde', 'abcdefg', '', 'ABCDEF']) expect(ring(wrong)).toBeUndefined()
  })
})
