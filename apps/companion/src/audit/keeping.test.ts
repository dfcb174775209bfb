import { describe, expect, it } from 'vitest'
import { eventOf, keys, keysOf } from './audit.fixture.ts'
import { alter, codeOf, rewrittenFrom } from './forgery.fixture.ts'
import { testTrail } from './trail.fixture.ts'

describe('checkpoint', () => {
  it('signs what the chain ends with, once', async () => {
    const { trail, fill, told } = testTrail()
    expect(await trail.checkpoint()).toBeUndefined()
    await fill(3)
    const checkpoint = await trail.checkpoint()
    expect(checkpoint).toMatchObject({ seq: 3, reason: 'interval', keyId: keys.keyId })
    expect(await trail.checkpoint()).toBeUndefined()
    expect(told).toEqual([checkpoint])
    expect(await trail.verify()).toMatchObject({ intact: true, provenThrough: 3 })
  })

  it('is kept, whatever its observer makes of it', async () => {
    const onCheckpoint = () => {
      throw new Error('the observer fails')
    }
    const { trail, store, fill } = testTrail({ onCheckpoint })
    await fill(1)
    await trail.checkpoint()
    expect(await store.checkpoints()).toHaveLength(1)
  })

  it('signs nothing that was altered since the last one', async () => {
    const { trail, fill, tampering, store } = testTrail()
    await fill(3)
    await trail.checkpoint()
    await fill(3)
    tampering.records = alter(5)
    expect(await codeOf(trail.checkpoint())).toBe('chain_broken')
    expect(await store.checkpoints()).toHaveLength(1)
  })

  it('signs nothing behind a checkpoint that is not its own', async () => {
    const { trail, fill, tampering, again } = testTrail()
    await fill(3)
    await trail.checkpoint()
    await fill(1)
    tampering.checkpoints = (all) => all.map((each) => ({ ...each, seq: 2 }))
    expect(await codeOf(again().checkpoint())).toBe('chain_broken')
    expect(await codeOf(again({ keys: keysOf('two') }).checkpoint())).toBe('chain_broken')
  })

  it('notices that the chain was turned back behind what it has signed', async () => {
    const { trail, fill, tampering } = testTrail()
    await fill(3)
    await trail.checkpoint()
    await fill(1)
    await trail.checkpoint()
    await fill(1)
    tampering.checkpoints = (all) => all.slice(0, -1)
    expect(await codeOf(trail.checkpoint())).toBe('chain_broken')
    tampering.checkpoints = () => []
    expect(await codeOf(trail.checkpoint())).toBe('chain_broken')
  })

  it('notices a head that names less than was signed', async () => {
    const { trail, fill, tampering, again } = testTrail()
    await fill(3)
    await trail.checkpoint()
    tampering.head = (head) => ({ ...head, seq: 2 })
    expect(await codeOf(again().checkpoint())).toBe('chain_broken')
    tampering.head = (head) => ({ ...head, hash: 'f'.repeat(64) })
    expect(await codeOf(again().checkpoint())).toBe('chain_broken')
  })

  it('signs anew what a previous key has signed, so that its secret can go', async () => {
    const { trail, fill, again, store } = testTrail()
    await fill(2)
    await trail.checkpoint()
    const rotated = again({ keys: keysOf('two', 'one') })
    await rotated.checkpoint()
    expect(await again({ keys: keysOf('two') }).verify()).toMatchObject({ provenThrough: 2 })
    expect((await store.checkpoints()).map(({ keyId }) => keyId)).toEqual([keysOf('two').keyId])
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'unknown_key' } })
  })

  it('keeps few, and the last one', async () => {
    const { trail, fill, store } = testTrail({ keep: 1_000 })
    for (let at = 0; at < 35; at += 1) {
      await fill(1)
      await trail.checkpoint()
    }
    expect((await store.checkpoints()).map(({ seq }) => seq)).toEqual([10, 20, 30, 35])
    expect(await trail.verify()).toMatchObject({ intact: true, provenThrough: 35 })
  })
})

describe('retain', () => {
  it('drops nothing before there is too much', async () => {
    const { trail, fill, told } = testTrail({ keep: 5 })
    expect(await trail.retain()).toBe(0)
    await fill(5)
    expect([await trail.retain(), told]).toEqual([0, []])
  })

  it('leaves a chain that proves itself, again and again', async () => {
    const { trail, fill, again } = testTrail({ keep: 5 })
    for (const [added, dropped] of [
      [12, 7],
      [1, 1],
      [0, 0],
      [20, 20],
    ] as const) {
      await fill(added)
      expect(await trail.retain()).toBe(dropped)
      expect(await again().verify()).toMatchObject({ intact: true, records: 5 })
    }
    expect(await trail.verify()).toMatchObject({ first: 29, last: 33, provenThrough: 33 })
    await trail.append(eventOf(1))
    expect(await trail.verify()).toMatchObject({ intact: true, last: 34 })
  })

  it('drops nothing that it cannot vouch for', async () => {
    const { trail, fill, tampering, again } = testTrail({ keep: 3 })
    await fill(9)
    await trail.checkpoint()
    for (const records of [alter(2), alter(6), alter(7), rewrittenFrom(2)]) {
      tampering.records = records
      expect(await codeOf(again().retain())).toBe('chain_broken')
    }
    delete tampering.records
    expect(await trail.retain()).toBe(6)
    await fill(1)
    tampering.checkpoints = (all) => all.filter(({ reason }) => reason !== 'retention')
    expect(await codeOf(again().retain())).toBe('chain_broken')
  })

  it('is no excuse for what was dropped without it', async () => {
    const { trail, fill, tampering } = testTrail({ keep: 5 })
    await fill(12)
    await trail.retain()
    tampering.records = (records) => records.slice(2)
    expect(await trail.verify()).toMatchObject({
      problem: { reason: 'removed', seq: 8, through: 9 },
    })
  })
})
