import { describe, expect, it } from 'vitest'
import { createKeyRing } from '../ring/key-ring.ts'
import { seal } from './envelope.ts'
import { isSealed } from './format.ts'

const ring = createKeyRing({ current: 'tXh3Vw9cQ2m8ZrLk5JpN0sYbGdFu7EaH' })
const context = { purpose: 'p', tenant: 't', row: 'r' }
const sealed = seal(ring, 'x', context)
const [version = '', fingerprint = '', body = ''] = sealed.split('.')

describe('isSealed', () => {
  it('is true of an envelope, without its key', () => {
    expect(isSealed(sealed)).toBe(true)
  })

  it.each([
    ['the prefix alone', 'tgv1.'],
    ['words between dots', 'tgv1.is.not.an.envelope'],
    ['no fingerprint', [version, body].join('.')],
    ['a fingerprint of 11 characters', [version, fingerprint.slice(1), body].join('.')],
    ['a body that is too short', [version, fingerprint, body.slice(0, 159)].join('.')],
    ['no body', [version, fingerprint, ''].join('.')],
    ['a part more', `${sealed}.AAAA`],
    ['padding', `${sealed}==`],
    ['characters of other base64', `${sealed.slice(0, -4)}+/+/`],
    ['a space before', ` ${sealed}`],
    ['a line break behind', `${sealed}\n`],
    ['a line break within', `${sealed.slice(0, 150)}\n${sealed.slice(150)}`],
    ['another version', sealed.replace('tgv1', 'tgv2')],
    ['capitals', sealed.replace('tgv1', 'TGV1')],
  ])('is false of a text with %s', (_, text) => {
    expect(isSealed(text)).toBe(false)
  })

  it('is false of one whose spare bits are set, which would be a second text for the same bytes', () => {
    const spare = body.length % 4
    expect(spare).not.toBe(0)
    const last = String.fromCharCode(body.charCodeAt(body.length - 1) + 1)
    expect(isSealed(sealed.slice(0, -1) + last)).toBe(false)
  })

  it.each([undefined, null, 1, {}, [], Buffer.from(sealed)])('is false of %j', (value) => {
    expect(isSealed(value)).toBe(false)
  })
})
