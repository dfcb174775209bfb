import { describe, expect, it } from 'vitest'
import { Watched } from './watched.ts'

describe('Watched', () => {
  it('tells each watch what was changed since it began', () => {
    const watched = new Watched()
    watched.change('earlier')
    const first = watched.watch()
    watched.change('a')
    const second = watched.watch()
    watched.changeAll((key) => key.startsWith('b'))
    expect(['earlier', 'a', 'b1', 'c'].map((key) => first.changed(key))).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(['a', 'b1'].map((key) => second.changed(key))).toEqual([false, true])
    first.end()
    second.end()
    expect(watched.watch().changed('a')).toBe(false)
  })

  it('doubts all keys when more were changed than it remembers', () => {
    const watched = new Watched()
    const watch = watched.watch()
    for (let at = 0; at < 10_001; at += 1) watched.change(`${at}`)
    expect(watch.changed('never changed')).toBe(true)
    const next = watched.watch()
    expect(next.changed('0')).toBe(false)
  })
})
