import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Batch } from './batch.ts'

describe('Batch', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function collect() {
    const delivered: string[] = []
    return { delivered, batch: new Batch((lines) => delivered.push(lines)) }
  }

  it('delivers what is gathered 50 ms after the first line, again and again', () => {
    const { delivered, batch } = collect()
    for (const round of ['a', 'b', 'c']) {
      batch.add(`${round}1,`)
      vi.advanceTimersByTime(30)
      batch.add(`${round}2`)
      vi.advanceTimersByTime(19)
      expect(delivered.at(-1)).not.toBe(`${round}1,${round}2`)
      vi.advanceTimersByTime(1)
      expect(delivered.at(-1)).toBe(`${round}1,${round}2`)
    }
    expect(delivered).toHaveLength(3)
  })

  it('does deferred work when lines are due, and when it is released', () => {
    const { delivered, batch } = collect()
    batch.defer(() => batch.add('late,'))
    batch.defer(() => batch.add('later'))
    expect(delivered).toEqual([])
    vi.advanceTimersByTime(50)
    expect(delivered).toEqual(['late,later'])
    batch.defer(() => batch.add('last'))
    batch.release()
    expect(delivered).toEqual(['late,later', 'last'])
  })

  it('keeps the order of deferred lines and others', () => {
    const { delivered, batch } = collect()
    batch.defer(() => batch.add('first,'))
    batch.add('second')
    batch.release()
    expect(delivered).toEqual(['first,second'])
  })

  it('does not let deferred work pile up', () => {
    const { delivered, batch } = collect()
    for (let n = 0; n < 256; n += 1) batch.defer(() => batch.add('x'))
    expect(delivered).toEqual(['x'.repeat(256)])
  })

  it('delivers at once what has become large', () => {
    const { delivered, batch } = collect()
    batch.add('x'.repeat(16_383))
    expect(delivered).toEqual([])
    batch.add('y')
    expect(delivered).toEqual([`${'x'.repeat(16_383)}y`])
    vi.advanceTimersByTime(100)
    expect(delivered).toHaveLength(1)
  })

  it('delivers nothing when nothing is there', () => {
    const { delivered, batch } = collect()
    batch.release()
    expect(delivered).toEqual([])
  })
})
