import { describe, expect, it } from 'vitest'
import { readTracestate } from './tracestate.ts'

const all = (from: number, to: number): string =>
  String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, index) => from + index))
const keyCharacters = `${all(0x61, 0x7a)}0123456789_-*/`
const valueCharacters = all(0x20, 0x2b) + all(0x2d, 0x3c) + all(0x3e, 0x7e)
const members = (count: number): string =>
  Array.from({ length: count }, (_, index) => `bar${index + 1}=${index + 1}`).join(',')

// The cases of the test suite that W3C keeps for its recommendation, and some more.
const kept: readonly (readonly [what: string, header: string, gives: string])[] = [
  ['one member', 'foo=1', 'foo=1'],
  ['members in their order', 'foo=1,bar=2,baz=3', 'foo=1,bar=2,baz=3'],
  ['an empty line before', ', foo=1', 'foo=1'],
  ['an empty line after', 'foo=1, ', 'foo=1'],
  ['empty members between', 'foo=1,,\t,bar=2', 'foo=1,bar=2'],
  ['white space around commas', 'foo=1 \t , \t bar=2, \t baz=3', 'foo=1,bar=2,baz=3'],
  ['white space around all', '\t foo=1 \t', 'foo=1'],
  ['each character a key may have', `${keyCharacters}=1`, `${keyCharacters}=1`],
  [
    'each character a tenant may have',
    `${keyCharacters}@a-z0-9_-*/=1`,
    `${keyCharacters}@a-z0-9_-*/=1`,
  ],
  ['each character a value may have', `foo=${valueCharacters}`, `foo=${valueCharacters}`],
  ['spaces at the front of a value', 'foo=  1', 'foo=  1'],
  ['a key that begins with a digit', '1foo=1', '1foo=1'],
  ['a tenant that begins with a digit', '1foo@bar=1', '1foo@bar=1'],
  ['32 members', members(32), members(32)],
  ['a key of 256 characters', `foo=1,${'z'.repeat(256)}=1`, `foo=1,${'z'.repeat(256)}=1`],
  [
    'a tenant of 241 and a system of 14 characters',
    `foo=1,${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
    `foo=1,${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
  ],
  ['a value of 256 characters', `foo=${'v'.repeat(256)}`, `foo=${'v'.repeat(256)}`],
  ['2,048 characters', exactly(2_048), exactly(2_048)],
]

const dropped: readonly (readonly [what: string, header: string])[] = [
  ['an empty header', ''],
  ['nothing but commas', ' , ,,'],
  ['a key twice with one value', 'foo=1,foo=1'],
  ['a key twice with two values', 'foo=1,bar=3,foo=2'],
  ['a space in a key', 'foo =1'],
  ['capitals in a key', 'FOO=1'],
  ['a dot in a key', 'foo.bar=1'],
  ['a key that begins with a dash', '-foo=1,bar=2'],
  ['no system', 'foo@=1,bar=2'],
  ['no tenant', '@foo=1,bar=2'],
  ['two at signs', 'foo@@bar=1,bar=2'],
  ['two systems', 'foo@bar@baz=1,bar=2'],
  ['a system that begins with a digit', 'foo@1bar=1'],
  ['33 members', members(33)],
  ['a key of 257 characters', `foo=1,${'z'.repeat(257)}=1`],
  ['a tenant of 242 characters', `foo=1,${'t'.repeat(242)}@v=1`],
  ['a system of 15 characters', `foo=1,t@${'v'.repeat(15)}=1`],
  ['a value of 257 characters', `foo=1,bar=${'v'.repeat(257)}`],
  ['a second equals sign', 'foo=bar=baz'],
  ['an empty value', 'foo=,bar=3'],
  ['an empty key', '=1,bar=3'],
  ['no equals sign', 'foo,bar=3'],
  ['a character beyond ASCII', 'foo=é'],
  ['a control character', 'foo=a\u0000b'],
  ['more than 2,048 characters', exactly(2_049)],
]

function exactly(length: number): string {
  const full = Array.from({ length: 7 }, (_, index) => `k${index}=${'v'.repeat(250)}`).join(',')
  return `${full},k7=${'v'.repeat(length - full.length - 4 - 60)},k8=${'w'.repeat(56)}`
}

describe('readTracestate', () => {
  it.each(kept)('keeps %s', (_what, header, gives) => {
    expect(readTracestate(header)).toBe(gives)
  })

  it.each(dropped)('drops all of it for %s', (_what, header) => {
    expect(readTracestate(header)).toBeUndefined()
  })
})
