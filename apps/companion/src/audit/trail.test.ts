import { describe, expect, it } from 'vitest'
import { begun, eventOf, keys, publicKeys } from './audit.fixture.ts'
import { alter, codeOf, rewrittenFrom } from './forgery.fixture.ts'
import { testTrail } from './trail.fixture.ts'
import { createAuditTrail } from './trail.ts'
import { verifyChain } from './verify-chain.ts'

describe('createAuditTrail', () => {
  it('keeps 10,000 records unless told, and at least one', () => {
    const { store } = testTrail()
    for (const keep of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createAuditTrail({ store, keys, keep })).toThrow(RangeError)
    }
  })
})

describe('append', () => {
  it('links each record to the one before it, with its time', async () => {
    const { trail } = testTrail()
    const first = await trail.append(eventOf(1))
    const second = await trail.append(eventOf(2))
    expect(first).toMatchObject({
      seq: 1,
      prevHash: '0'.repeat(64),
      at: new Date(begun).toISOString(),
    })
    expect(second).toMatchObject({ seq: 2, prevHash: first.hash })
    expect((await trail.query({})).records).toEqual([second, first])
  })

  it('puts all of several on record, or none', async () => {
    const { trail } = testTrail()
    const broken = { ...eventOf(2), tenant: '' }
    expect(await codeOf(trail.appendAll([eventOf(1), broken]))).toBe('invalid_event')
    expect(await trail.appendAll([])).toEqual([])
    expect(await trail.appendAll([eventOf(1), eventOf(2)])).toHaveLength(2)
    expect((await trail.query({})).records.map(({ seq }) => seq)).toEqual([2, 1])
  })
})

describe('query', () => {
  it('gives pages, the latest first, and ends', async () => {
    const { trail, fill } = testTrail()
    await fill(7)
    const pages: number[][] = []
    let cursor: string | undefined
    do {
      const page = await trail.query({ limit: 3, cursor })
      pages.push(page.records.map(({ seq }) => seq))
      cursor = page.next
      // What comes meanwhile moves nothing.
      if (pages.length < 3) await fill(1)
    } while (cursor !== undefined)
    expect(pages).toEqual([[7, 6, 5], [4, 3, 2], [1]])
  })

  it('says when a full page is the last', async () => {
    const { trail, fill } = testTrail()
    await fill(3)
    expect((await trail.query({ limit: 3 })).next).toBeUndefined()
  })

  it('gives those of a tenant, an actor, a type', async () => {
    const { trail } = testTrail()
    await trail.appendAll([eventOf(1), eventOf(2, { tenant: 'other', type: 'b.c' }), eventOf(4)])
    const seqs = async (query: object) => (await trail.query(query)).records.map(({ seq }) => seq)
    expect(await seqs({ tenant: 'other' })).toEqual([2])
    expect(await seqs({ actor: 'actor-1' })).toEqual([3, 1])
    expect(await seqs({ type: 'b.*' })).toEqual([2])
    expect(await seqs({ since: new Date(begun), until: new Date(begun + 1) })).toEqual([3, 2, 1])
    expect(await seqs({ until: new Date(begun) })).toEqual([])
    expect(await seqs({ actor: 'actor\0-1' })).toEqual([])
  })

  it('names what it cannot answer', async () => {
    const { trail } = testTrail()
    const hostile = [
      ...[0, -1, 1.5, 1_001, Number.NaN].map((limit) => ({ limit })),
      ...['', 'x', '!', Buffer.from('audit.0').toString('base64url')].map((cursor) => ({ cursor })),
      { cursor: Buffer.from('audit.9999999999999999').toString('base64url') },
      { tenant: 'x'.repeat(501) },
      ...[Number.NaN, -8.64e15, 8.64e15].map((ms) => ({ since: new Date(ms) })),
    ]
    for (const query of hostile) expect(await codeOf(trail.query(query))).toBe('invalid_query')
  })
})

describe('verify', () => {
  it('names what was done to a stored chain', async () => {
    const { trail, fill, tampering, again } = testTrail()
    await fill(6)
    await trail.checkpoint()
    await fill(3)
    tampering.records = alter(4)
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'altered', seq: 4 } })
    tampering.records = (records) => records.filter(({ seq }) => seq !== 4)
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'removed', seq: 4 } })
    tampering.records = (records) => records.slice(0, 7)
    expect(await trail.verify()).toMatchObject({
      problem: { reason: 'removed', seq: 8, through: 9 },
    })
    tampering.records = rewrittenFrom(2)
    expect(await again().verify()).toMatchObject({
      problem: { reason: 'rewritten', seq: 1, through: 6 },
    })
    tampering.records = rewrittenFrom(9)
    expect(await again().verify()).toMatchObject({ problem: { reason: 'altered', seq: 9 } })
  })

  it('names a head that was altered', async () => {
    const { trail, fill, tampering } = testTrail()
    await fill(6)
    tampering.head = (head) => ({ ...head, seq: 4 })
    expect(await trail.verify()).toMatchObject({
      problem: { message: expect.stringContaining('The head of the chain was altered') },
    })
    tampering.head = (head) => ({ ...head, hash: 'f'.repeat(64) })
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'altered', seq: 6 } })
  })

  it('knows what this process has signed, also where its checkpoints were removed', async () => {
    const { trail, fill, tampering, again } = testTrail()
    await fill(6)
    await trail.checkpoint()
    tampering.checkpoints = () => []
    tampering.records = (records) => rewrittenFrom(3)(records).slice(0, 5)
    tampering.head = (head) => ({ ...head, seq: 5 })
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'removed', seq: 6 } })
    // A process that knows nothing can be told by the log of checkpoints alone.
    tampering.head = (head) => ({ seq: 5, hash: head.hash })
    expect((await again().verify()).intact).toBe(false)
  })

  it('does not take for missing what is dropped meanwhile', async () => {
    const { trail, fill, store, again } = testTrail({ keep: 5 })
    await fill(12)
    await trail.checkpoint()
    let dropped = 0
    const slow = {
      ...store,
      records: async (range: Parameters<typeof store.records>[0]) => {
        if (dropped === 0) dropped = await trail.retain()
        return await store.records(range)
      },
    }
    expect(await again({ store: slow }).verify()).toMatchObject({ intact: true, first: 8 })
    expect(dropped).toBe(7)
  })

  it('takes no closing of an export for a checkpoint', async () => {
    const { trail, fill, tampering, again } = testTrail()
    await fill(3)
    const { value: line } = await trail.exportNdjson().next()
    tampering.checkpoints = () => [JSON.parse(line ?? '').end]
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'bad_checkpoint', seq: 3 } })
    await fill(1)
    expect(await codeOf(again().checkpoint())).toBe('chain_broken')
  })

  it('agrees with verifyChain', async () => {
    const { trail, fill, store } = testTrail()
    await fill(3)
    const records = await store.records({ order: 'ascending', limit: 10 })
    const verdict = await verifyChain({ records, checkpoints: [], publicKeys })
    expect(await trail.verify()).toEqual(verdict)
    expect(trail.publicKeys).toEqual(publicKeys)
  })
})
