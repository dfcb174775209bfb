import { describe, expect, it } from 'vitest'
import { begun, eventOf, keys, keysOf, publicKeys } from './audit.fixture.ts'
import { AuditError, type AuditErrorCode } from './errors.ts'
import { type AuditRecord, hashOf } from './record.ts'
import { testTrail } from './trail.fixture.ts'
import { createAuditTrail } from './trail.ts'
import { verifyChain } from './verify-chain.ts'

async function codeOf(work: Promise<unknown>): Promise<AuditErrorCode | undefined> {
  return await work.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof AuditError) return error.code
      throw error
    },
  )
}

/** The records with one changed and all behind it computed anew. */
function rewrittenFrom(seq: number) {
  return (records: readonly AuditRecord[]): AuditRecord[] => {
    const forged: AuditRecord[] = []
    for (const record of records) {
      const prevHash = forged.at(-1)?.hash ?? record.prevHash
      const changed = { ...record, prevHash, ...(record.seq === seq ? { actor: 'forger' } : {}) }
      forged.push({ ...changed, hash: hashOf(changed) ?? '' })
    }
    return forged
  }
}

const alter = (seq: number) => (records: readonly AuditRecord[]) =>
  records.map((record) => (record.seq === seq ? { ...record, actor: 'forger' } : record))

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
