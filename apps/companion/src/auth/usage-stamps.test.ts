import { describe, expect, it } from 'vitest'
import { createUsageStamps } from './usage-stamps.ts'

describe('createUsageStamps', () => {
  it('writes each key once however often it was used', async () => {
    const written: (readonly [string[], number])[] = []
    const stamps = createUsageStamps({
      write: async (ids, at) => void written.push([[...ids], at]),
      onError: () => {},
      now: () => 42,
    })
    for (const id of ['a', 'b', 'a']) stamps.add(id)
    await stamps.flush()
    await stamps.close()
    expect(written).toEqual([[['a', 'b'], 42]])
  })

  it('keeps what could not be written for the next time', async () => {
    const written: string[][] = []
    const faults: unknown[] = []
    const fault = new Error('away')
    const stamps = createUsageStamps({
      write: async (ids) => {
        if (faults.length === 0) throw fault
        written.push([...ids])
      },
      onError: (error) => faults.push(error),
    })
    stamps.add('a')
    await stamps.flush()
    stamps.add('b')
    await stamps.close()
    expect([faults, written]).toEqual([[fault], [['a', 'b']]])
  })
})
