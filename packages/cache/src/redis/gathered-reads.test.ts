import { describe, expect, it } from 'vitest'
import type { Stored } from '../core/driver.ts'
import { GatheredReads } from './gathered-reads.ts'

const stored = (name: string): Stored => ({ stamp: name, bytes: undefined })
const stamps = (found: readonly Stored[]) => found.map(({ stamp }) => stamp)
const turn = () => new Promise((done) => setImmediate(done))

/** Answers when it is told to. */
function server() {
  const asked: (readonly string[])[] = []
  const answers: { give(): void; refuse(error: Error): void }[] = []
  const reads = new GatheredReads((names) => {
    asked.push(names)
    return new Promise((resolve, reject) => {
      answers.push({ give: () => resolve(names.map(stored)), refuse: reject })
    })
  })
  return { asked, answers, reads }
}

describe('GatheredReads', () => {
  it('sends a read that comes alone at once', () => {
    const { asked, reads } = server()
    void reads.read(['a'])
    expect(asked).toEqual([['a']])
  })

  it('sends what is asked while an answer is awaited together, and gives each its own', async () => {
    const { asked, answers, reads } = server()
    const first = reads.read(['a'])
    const others = [reads.read(['b', 'c']), reads.read(['a']), reads.read(['d'])]
    expect(asked).toHaveLength(1)
    await turn()
    expect(asked).toEqual([['a'], ['b', 'c', 'a', 'd']])
    for (const { give } of answers) give()
    expect(stamps(await first)).toEqual(['a'])
    expect((await Promise.all(others)).map(stamps)).toEqual([['b', 'c'], ['a'], ['d']])
  })

  it('does not make what comes in a later turn wait for the answer', async () => {
    const { asked, reads } = server()
    void reads.read(['a'])
    void reads.read(['b'])
    await turn()
    void reads.read(['c'])
    await turn()
    expect(asked).toEqual([['a'], ['b'], ['c']])
  })

  it('tells each reader of a failure, and goes on', async () => {
    const { asked, answers, reads } = server()
    const first = reads.read(['a'])
    const others = [reads.read(['b']), reads.read(['c'])]
    await turn()
    answers[0]?.give()
    answers[1]?.refuse(new Error('away'))
    await first
    for (const other of others) await expect(other).rejects.toThrow('away')
    void reads.read(['d'])
    expect(asked.at(-1)).toEqual(['d'])
  })
})
