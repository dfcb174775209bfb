import { createKeyRing } from '@tidegate/crypto'
import { describe, expect, it } from 'vitest'
import { openSecrets, sealSecrets } from './sealing.ts'

const ring = createKeyRing({ current: 'kX2vQ9mT4wLs8ZbN1rYc7HdJ5fGp3EuA' })
const place = { tenant: 't', id: 'one', version: 1 }

describe('sealSecrets', () => {
  it('seals what openSecrets opens at the same place alone', () => {
    const secrets = { api_key: 'value' }
    const sealed = sealSecrets(ring, secrets, place)
    expect(sealed).not.toContain('value')
    expect(openSecrets(ring, sealed, place)).toEqual(secrets)
    for (const moved of [{ tenant: 'u' }, { id: 'two' }, { version: 2 }]) {
      expect(() => openSecrets(ring, sealed, { ...place, ...moved })).toThrow(
        expect.objectContaining({ code: 'secret_unreadable' }),
      )
    }
  })

  it('keeps nothing where there is nothing', () => {
    expect(sealSecrets(ring, {}, place)).toBeNull()
    expect(openSecrets(ring, null, place)).toEqual({})
  })
})
