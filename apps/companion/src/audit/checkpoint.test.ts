import { describe, expect, it } from 'vitest'
import { chainOf, checkpointAt, keys, keysOf, publicKeys } from './audit.fixture.ts'
import { asCheckpoint, checkSignature } from './checkpoint.ts'
import { parsePublicKeys } from './checkpoint-keys.ts'
import { AuditError } from './errors.ts'

const records = chainOf(3)

describe('createCheckpointKeys', () => {
  it('makes the same keys of the same secret, and others of another', () => {
    expect(keysOf('one').keyId).toBe(keys.keyId)
    expect(keysOf('one').sign('a')).toBe(keys.sign('a'))
    expect(keysOf('two').keyId).not.toBe(keys.keyId)
  })

  it('knows the public keys of previous secrets, and signs with the current', () => {
    const rotated = keysOf('two', 'one')
    expect([...rotated.publicKeys.keys()]).toEqual([keysOf('two').keyId, keys.keyId])
    expect(rotated.sign('a')).toBe(keysOf('two').sign('a'))
  })

  it('holds no private key where something prints or copies it', () => {
    expect(JSON.stringify(keys)).not.toContain('one')
    expect(Object.keys(keys).sort()).toEqual(['keyId', 'publicKeys', 'sign'])
  })
})

describe('parsePublicKeys', () => {
  it('refuses what is no public key', () => {
    const [key = ''] = publicKeys
    const spareBitSet = key.slice(0, -1) + String.fromCharCode(key.charCodeAt(42) + 1)
    for (const text of ['', 'x'.repeat(42), `${key}=`, `${key} `, '!'.repeat(43), spareBitSet]) {
      expect(() => parsePublicKeys([text])).toThrow(AuditError)
    }
    expect(parsePublicKeys([key]).size).toBe(1)
  })
})

describe('checkSignature', () => {
  const checkpoint = checkpointAt(records, 2)
  const given = parsePublicKeys(publicKeys)

  it('tells what is as it was signed from what is not', () => {
    expect(checkSignature(checkpoint, given)).toBe('valid')
    const later = new Date(Date.parse(checkpoint.at) + 1).toISOString()
    const changes = [
      { seq: 3 },
      { hash: 'f'.repeat(64) },
      { at: later },
      { reason: 'retention' } as const,
      { signature: '' },
      { signature: `${checkpoint.signature}=` },
      { signature: `${checkpoint.signature}!` },
    ]
    for (const change of changes) {
      expect(checkSignature({ ...checkpoint, ...change }, given)).toBe('invalid')
    }
  })

  it('says when the key is not among those given', () => {
    expect(checkSignature({ ...checkpoint, keyId: 'other' }, given)).toBe('unknown_key')
    expect(checkSignature(checkpoint, parsePublicKeys(keysOf('two').publicKeys.values()))).toBe(
      'unknown_key',
    )
  })

  it("gives another key's signature no credit under its name", () => {
    const forged = keysOf('two').sign('anything')
    expect(checkSignature({ ...checkpoint, signature: forged }, given)).toBe('invalid')
  })
})

describe('asCheckpoint', () => {
  it('takes just what has the members of one, each of its type', () => {
    const checkpoint = checkpointAt(records, 2)
    expect(asCheckpoint(checkpoint)).toBe(checkpoint)
    const others = [
      null,
      [],
      {},
      { ...checkpoint, more: 1 },
      { ...checkpoint, seq: 0 },
      { ...checkpoint, seq: 1.5 },
      { ...checkpoint, hash: 'F'.repeat(64) },
      { ...checkpoint, at: '2026-01-31' },
      { ...checkpoint, reason: 'other' },
      { ...checkpoint, keyId: 1 },
    ]
    for (const other of others) expect(asCheckpoint(other)).toBeUndefined()
  })
})
