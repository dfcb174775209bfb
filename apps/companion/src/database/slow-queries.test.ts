import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { observed, queryShape, type SlowQuery } from './slow-queries.ts'

describe('queryShape', () => {
  it.each([
    ['select * from a where b = $1 and c = $12', 'select * from a where b = $1 and c = $12'],
    ["select 'it''s' , 'b\\', x'ff', 3, 4.5e-6, -7", 'select ? , ?, x?, ?, ?, -?'],
    ["select E'a\\'b', $$c 'd'$$, $t$ e $t$", 'select ?, ?, ?'],
    ['insert into "t1" ("c2")\n\tvalues ($1),  ($2)', 'insert into "t1" ("c2") values ($1), ($2)'],
    ["select 'one\n-- two'", 'select ?'],
  ])('makes of %j %j', (text, shape) => {
    expect(queryShape(text)).toBe(shape)
  })

  it('holds nothing of a quoted value, whatever is in it', () => {
    const value = fc.string({
      unit: fc.constantFrom("'", '\\', '$', '\n', ' ', '"', '(', '1', 'é'),
    })
    fc.assert(
      fc.property(value, value, (one, other) => {
        const quote = (text: string) => `'${text.replaceAll("'", "''")}'`
        const text = `select ${quote(`a${one}secret`)}, ${quote(`secret${other}b`)} from t`
        expect(queryShape(text)).toBe('select ?, ? from t')
      }),
    )
  })

  it('is cut where it is long', () => {
    expect(queryShape(`select ${'c, '.repeat(1_000)}d`)).toHaveLength(1_001)
  })
})

describe('observed', () => {
  const statement = { text: 'select 1', values: [], rows: 'arrays' } as const

  function clock(stepMs: number): () => number {
    let ms = 0
    return () => {
      ms += stepMs
      return ms
    }
  }

  it('tells of what reaches the threshold, failed or not, and of nothing else', async () => {
    const told: SlowQuery[] = []
    const onSlow = (query: SlowQuery) => told.push(query)
    const fine = async () => ({ rows: [] })
    const failing = async () => Promise.reject(new Error('no'))
    await observed(fine, { slowMs: 10, now: clock(9), onSlow })(statement)
    await observed(fine, { slowMs: 10, now: clock(10), onSlow })(statement)
    const failed = observed(failing, { slowMs: 10, now: clock(11), onSlow })(statement)
    await expect(failed).rejects.toThrow('no')
    expect(told).toEqual([
      { shape: 'select ?', durationMs: 10 },
      { shape: 'select ?', durationMs: 11 },
    ])
  })
})
