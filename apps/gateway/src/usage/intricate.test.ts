import { describe, expect, it } from 'vitest'
import { isIntricate } from './intricate.ts'

const intricate = (text: string): boolean => isIntricate(Buffer.from(text))

const MEGABYTES = 3_000_000

describe('isIntricate', () => {
  it.each([
    ['brackets', '['.repeat(MEGABYTES)],
    ['members', `{${'"a":1,'.repeat(MEGABYTES / 5)}"a":1}`],
    ['short strings', `["${'","'.repeat(MEGABYTES)}"]`],
    ['numbers', `[${'1,'.repeat(MEGABYTES)}1]`],
  ])('is a text of %s', (_, text) => {
    expect(intricate(text)).toBe(true)
  })

  it.each([
    ['words', JSON.stringify({ content: 'words, {and} [more] '.repeat(MEGABYTES / 10) })],
    ['escapes', JSON.stringify({ content: '"\\"'.repeat(MEGABYTES / 3) })],
    ['escapes to the end', JSON.stringify(['\\'.repeat(MEGABYTES)])],
    ['one that is not closed', `"${'a'.repeat(MEGABYTES)}`],
  ])('is none of %s', (_, text) => {
    expect(intricate(text)).toBe(false)
  })

  it('is nothing small', () => {
    expect(intricate('['.repeat(1_000_000))).toBe(false)
    expect(intricate('')).toBe(false)
  })
})
