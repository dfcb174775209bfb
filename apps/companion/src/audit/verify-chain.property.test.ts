import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { begun, chainOf, checkpointAt, recordAt } from './audit.fixture.ts'
import type { Json } from './canonical-json.ts'
import { forge, problemOf, rehashed, rewrittenFrom, verdictOf } from './forgery.fixture.ts'
import type { AuditRecord } from './record.ts'

const LENGTH = 12
const chain = chainOf(LENGTH)
const seqs = fc.integer({ min: 1, max: LENGTH })
const end = recordAt(chain, LENGTH)

/** One member of a record changed to something else that it could be. */
const anyChange = fc
  .record({ seq: seqs, member: fc.constantFrom(...Object.keys(end)), noise: fc.string() })
  .chain(({ seq, member, noise }) => {
    const record = recordAt(chain, seq)
    const values: Record<string, fc.Arbitrary<Json>> = {
      seq: fc.integer({ min: 1, max: LENGTH + 5 }),
      at: fc.nat({ max: 1e9 }).map((ms) => new Date(begun + ms).toISOString()),
      details: fc.dictionary(fc.string(), fc.constant<Json>(noise)),
      hash: fc.constantFrom(...chain.map(({ hash }) => hash)),
      prevHash: fc.constantFrom(...chain.map(({ hash }) => hash)),
    }
    const value = values[member] ?? fc.string()
    return value
      .filter((changed) => JSON.stringify(changed) !== JSON.stringify(Reflect.get(record, member)))
      .map((changed) => ({ seq, record: { ...record, [member]: changed } }))
  })

interface Deed {
  readonly what: string
  readonly at: number
  readonly to: number
}

/** The records after a deed. */
function done(records: AuditRecord[], { what, at, to }: Deed): AuditRecord[] {
  const [one, other] = [records[at], records[to]]
  if (!one || !other) return records
  const deeds: Record<string, () => AuditRecord[]> = {
    remove: () => records.toSpliced(at, 1),
    copy: () => records.toSpliced(to, 0, one),
    swap: () => records.with(at, other).with(to, one),
    alter: () => records.with(at, forge(one)),
    forge: () => records.with(at, rehashed({ ...forge(one), prevHash: other.prevHash })),
    rewrite: () => rewrittenFrom(one.seq)(records),
    renumber: () => records.with(at, rehashed({ ...one, seq: other.seq })),
  }
  return deeds[what]?.() ?? records
}

const replaced = (seq: number, record: unknown) => chain.toSpliced(seq - 1, 1, record as never)

describe('verifyChain', () => {
  it('names a record of which any one member was changed', async () => {
    await fc.assert(
      fc.asyncProperty(anyChange, async ({ seq, record }) => {
        expect(await problemOf(replaced(seq, record))).toMatchObject({
          reason: 'altered',
          seq,
          position: seq,
        })
      }),
      { numRuns: 300 },
    )
  })

  it('names a record that was changed and hashed anew', async () => {
    await fc.assert(
      fc.asyncProperty(anyChange, async ({ seq, record }) => {
        const changed = rehashed(record)
        // The hash alone changed and made right again is no change.
        fc.pre(changed.hash !== recordAt(chain, seq).hash)
        const problem = await problemOf(replaced(seq, changed), { end })
        // Nothing tells the last one from those before it, unless it doesn't follow them.
        const { prevHash } = recordAt(chain, seq)
        const isTold = seq < LENGTH || record.seq !== seq || record.prevHash !== prevHash
        const altered = { reason: 'altered', seq, position: seq }
        expect(problem).toMatchObject(isTold ? altered : { reason: 'rewritten', through: seq })
      }),
      { numRuns: 300 },
    )
  })

  it('names the first record that is missing', async () => {
    const range = fc.tuple(seqs, seqs).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
    await fc.assert(
      fc.asyncProperty(range, async ([from, through]) => {
        const left = chain.filter(({ seq }) => seq < from || seq > through)
        const removed = { reason: 'removed', seq: from, through }
        expect(await problemOf(left, { end })).toMatchObject(removed)
        expect(await problemOf(left, { checkpoints: [checkpointAt(chain, LENGTH)] })).toMatchObject(
          removed,
        )
      }),
    )
  })

  it('names the first place at which records were exchanged', async () => {
    await fc.assert(
      fc.asyncProperty(seqs, seqs, async (one, other) => {
        fc.pre(one !== other)
        const swapped = replaced(one, recordAt(chain, other))
        swapped[other - 1] = recordAt(chain, one)
        const seq = Math.min(one, other)
        expect(await problemOf(swapped)).toMatchObject({ reason: 'reordered', seq, position: seq })
      }),
    )
  })

  it('names the place at which a record was inserted, a copy or a forged one', async () => {
    await fc.assert(
      fc.asyncProperty(seqs, fc.boolean(), fc.boolean(), async (seq, before, linked) => {
        const record = recordAt(chain, seq)
        const forged = rehashed({
          ...forge(record),
          prevHash: linked ? record.prevHash : 'f'.repeat(64),
        })
        const position = before ? seq : seq + 1
        const inserted = chain.toSpliced(position - 1, 0, forged)
        expect(await problemOf(inserted, { end })).toMatchObject({
          reason: 'inserted',
          seq,
          position,
        })
        const unhashed = chain.toSpliced(position - 1, 0, forge(record))
        expect(await problemOf(unhashed, { end })).toMatchObject({
          reason: 'inserted',
          seq,
          position,
        })
        const copied = chain.toSpliced(position - 1, 0, record)
        expect(await problemOf(copied, { end })).toMatchObject({
          reason: 'inserted',
          seq,
          position: seq + 1,
        })
      }),
    )
  })

  it('finds nothing intact that differs, whatever was done to it without the key', async () => {
    const deed = fc.record({
      what: fc.constantFrom('remove', 'copy', 'swap', 'alter', 'forge', 'rewrite', 'renumber'),
      at: fc.nat({ max: LENGTH - 1 }),
      to: fc.nat({ max: LENGTH - 1 }),
    })
    const signed = [4, 9]
    const checkpoints = signed.map((seq) => checkpointAt(chain, seq))
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 4 }), async (deeds) => {
        const records = deeds.reduce(done, chain)
        const isSame = JSON.stringify(records) === JSON.stringify(chain)
        expect((await verdictOf(records, { end })).intact).toBe(isSame)
        const verdict = await verdictOf(records, { checkpoints })
        if (!verdict.intact) return
        expect(verdict.provenThrough).toBe(9)
        expect(records.slice(0, 9)).toEqual(chain.slice(0, 9))
      }),
      { numRuns: 500 },
    )
  })
})
