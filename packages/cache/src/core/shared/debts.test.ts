import { describe, expect, it } from 'vitest'
import { Debts } from './debts.ts'

describe('Debts', () => {
  it('says of each key what became of it last, and whether it was removed before', () => {
    const debts = new Debts()
    debts.owe({ keys: ['removed', 'renewed', 'made', 'gone'] })
    debts.oweReplacement('replaced')
    debts.oweReplacement('renewed')
    debts.made('made')
    debts.made('nothing owed')
    debts.oweReplacement('gone')
    debts.owe({ keys: ['gone'] })
    expect(Object.fromEntries(debts.take().keys)).toEqual({
      removed: 'removed',
      renewed: 'renewed',
      made: 'renewed',
      gone: 'removed',
      replaced: 'replaced',
    })
    expect(debts.empty).toBe(true)
  })

  it('owes the same thing once, and what is given back beside what has come since', () => {
    const debts = new Debts()
    debts.owe({ tag: 'a' })
    debts.owe({ tag: 'a' })
    debts.owe({ keys: ['k'] })
    const taken = debts.take()
    debts.owe({ match: { prefix: 'p' } })
    debts.oweReplacement('k')
    debts.giveBack(taken)
    const { keys, others } = debts.take()
    expect(others).toEqual([{ match: { prefix: 'p' } }, { tag: 'a' }])
    expect([...keys]).toEqual([['k', 'renewed']])
  })

  it('owes the invalidation of everything when there is too much to be told apart', () => {
    const debts = new Debts()
    const keys = Array.from({ length: 10_001 }, (_, at) => `${at}`)
    debts.owe({ keys })
    expect(debts.take()).toEqual({
      keys: new Map(),
      others: [{ match: { prefix: '' }, tag: '\u0000' }],
    })
  })
})
