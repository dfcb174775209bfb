import { describe, expect, it } from 'vitest'
import { memoryBus } from '../memory-bus.ts'
import { memoryDriver } from '../memory-driver.ts'
import { entryOf, nodeOn } from './first-tier.fixture.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('Shared', () => {
  it('gives one process what another one has set', async () => {
    const [driver, bus] = [memoryDriver(), memoryBus()]
    const [a, b] = [nodeOn(driver, bus), nodeOn(driver, bus)]
    await a.shared.write([{ key: 'k', entry: entryOf({ n: 1 }), capture: undefined }])
    const [found] = await b.shared.read(['k'])
    expect(found?.entry?.value).toEqual({ n: 1 })
    await turn()
    await a.shared.invalidate({ keys: ['k'] }, { sweep: true })
    const [gone] = await b.shared.read(['k'])
    expect(gone?.entry).toBeUndefined()
    expect(a.events).toEqual([])
  })

  it('refuses what was made before its key, its tag, its prefix or everything was invalidated', async () => {
    const [driver, bus] = [memoryDriver(), memoryBus()]
    const [a, b] = [nodeOn(driver, bus), nodeOn(driver, bus)]
    await turn()
    const targets = [
      { keys: ['p:k'] },
      { tag: 't' },
      { match: { prefix: 'p:' } },
      { match: { pattern: '*:k' } },
      { match: { prefix: '' }, tag: '\u0000' },
    ]
    for (const target of targets) {
      const [before] = await a.shared.read(['p:k'], ['t'])
      await b.shared.invalidate(target, { sweep: true })
      const entry = entryOf('late', { tags: ['t'] })
      const [kept] = await a.shared.write([{ key: 'p:k', entry, capture: before?.capture }])
      expect(kept).toBeUndefined()
      const [found] = await b.shared.read(['p:k'])
      expect(found?.entry).toBeUndefined()
    }
  })
})
