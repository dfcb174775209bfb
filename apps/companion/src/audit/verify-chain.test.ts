import { describe, expect, it } from 'vitest'
import { begun, chainOf, checkpointAt, keysOf, publicKeys, recordAt } from './audit.fixture.ts'
import type { Json } from './canonical-json.ts'
import { signCheckpoint } from './checkpoint.ts'
import { AuditError } from './errors.ts'
import { forge, problemOf, rehashed, rewrittenFrom, verdictOf } from './forgery.fixture.ts'
import type { ChainProblem } from './verdict.ts'
import { verifyChain } from './verify-chain.ts'

const LENGTH = 12
const chain = chainOf(LENGTH)
const end = recordAt(chain, LENGTH)

const replaced = (seq: number, record: unknown) => chain.toSpliced(seq - 1, 1, record as never)

describe('verifyChain', () => {
  it('finds an untouched chain intact, and says how far it is proven', async () => {
    const intact = { intact: true, records: LENGTH, first: 1, last: LENGTH }
    expect(await verdictOf(chain)).toEqual({ ...intact, provenThrough: 0 })
    const checkpoints = [checkpointAt(chain, 9), checkpointAt(chain, 4)]
    expect(await verdictOf(chain, { checkpoints })).toEqual({ ...intact, provenThrough: 9 })
    expect(await verdictOf(chain, { end })).toEqual({ ...intact, provenThrough: LENGTH })
  })

  it('finds an empty chain intact', async () => {
    const empty = { intact: true, records: 0, first: 1, last: 0, provenThrough: 0 }
    expect(await verdictOf([])).toEqual(empty)
    expect(await verdictOf([], { end: { seq: 0, hash: '0'.repeat(64) } })).toEqual(empty)
  })

  it('begins behind the last checkpoint under which records were dropped', async () => {
    const checkpoints = [checkpointAt(chain, 5, 'retention'), checkpointAt(chain, 3, 'retention')]
    const kept = chain.slice(5)
    expect(await verdictOf(kept, { checkpoints })).toMatchObject({ intact: true, first: 6 })
    expect(await problemOf(kept)).toMatchObject({ reason: 'removed', seq: 1, through: 5 })
    expect(await problemOf(kept, { checkpoints: [checkpointAt(chain, 5)] })).toMatchObject({
      reason: 'removed',
      seq: 1,
      through: 5,
    })
    expect(await problemOf(kept.slice(1), { checkpoints })).toMatchObject({
      reason: 'removed',
      seq: 6,
      through: 6,
    })
    expect(await problemOf(chain.slice(4), { checkpoints })).toMatchObject({
      reason: 'inserted',
      seq: 5,
      position: 1,
    })
  })

  it('names the record behind the end that was added', async () => {
    const added = rehashed({ ...end, seq: LENGTH + 1, prevHash: end.hash })
    expect(await problemOf([...chain, added], { end })).toMatchObject({
      reason: 'inserted',
      seq: LENGTH + 1,
      position: LENGTH + 1,
    })
  })

  it('names the range in which a chain was computed anew', async () => {
    const checkpoints = [checkpointAt(chain, 4), checkpointAt(chain, 9)]
    for (const seq of [5, 7, 8]) {
      const forged = rewrittenFrom(seq)(chain)
      expect(await problemOf(forged, { checkpoints })).toMatchObject({
        reason: 'rewritten',
        seq: 5,
        through: 9,
      })
    }
    const unsigned = rewrittenFrom(10)(chain)
    expect(await verdictOf(unsigned, { checkpoints })).toMatchObject({ provenThrough: 9 })
    expect(await problemOf(unsigned, { checkpoints, known: [end] })).toMatchObject({
      reason: 'rewritten',
      seq: 10,
      through: 12,
    })
  })

  it('names the very record that a signature is at odds with where it can', async () => {
    const forged = (seq: number) => replaced(seq, rehashed(forge(recordAt(chain, seq))))
    const checkpoints = [checkpointAt(chain, 4), checkpointAt(chain, 11), checkpointAt(chain, 12)]
    for (const seq of [4, 11, 12]) {
      expect(await problemOf(forged(seq), { checkpoints })).toMatchObject({
        reason: 'altered',
        seq,
        position: seq,
      })
    }
  })

  it('names the place of what is no record', async () => {
    let deep: Json = 1
    for (let depth = 0; depth < 40; depth += 1) deep = [deep]
    const third = recordAt(chain, 3)
    const { ip: _, ...lacking } = third
    const strangers = [
      ...[null, undefined, 7, 'text', [], {}, lacking],
      { ...third, more: 1 },
      { ...third, seq: '3' },
      { ...third, seq: 2.5 },
      { ...third, details: null },
      { ...third, at: '2026-01-31T12:00:03Z' },
      { ...third, hash: third.hash.toUpperCase() },
      { ...third, details: { deep } },
    ]
    for (const stranger of strangers) {
      expect(await problemOf(replaced(3, stranger))).toMatchObject({
        reason: 'malformed',
        seq: 3,
        position: 3,
      })
    }
  })

  it('finds a checkpoint of which any one member was changed', async () => {
    const checkpoint = checkpointAt(chain, 6)
    const other = checkpointAt(chain, 7)
    const changes = [
      { seq: 5 },
      { hash: other.hash },
      { at: new Date(begun + 1).toISOString() },
      { reason: 'retention' },
      { signature: other.signature },
    ]
    for (const change of changes) {
      expect(await problemOf(chain, { checkpoints: [{ ...checkpoint, ...change }] })).toMatchObject(
        {
          reason: 'bad_checkpoint',
        },
      )
    }
    expect(await problemOf(chain, { checkpoints: [{ ...checkpoint, keyId: 'x' }] })).toMatchObject({
      reason: 'unknown_key',
      seq: 6,
    })
    for (const stranger of [null, {}, { ...checkpoint, more: 1 }]) {
      expect(await problemOf(chain, { checkpoints: [checkpoint, stranger] })).toMatchObject({
        reason: 'bad_checkpoint',
        message: 'Checkpoint 2 of those given is no checkpoint.',
      })
    }
  })

  it('gives no credit to what somebody else signed', async () => {
    const forged = rewrittenFrom(2)(chain)
    const checkpoint = signCheckpoint(
      keysOf('two'),
      recordAt(forged, 6),
      'interval',
      new Date(begun),
    )
    const named = { ...checkpoint, keyId: checkpointAt(chain, 6).keyId }
    expect((await problemOf(forged, { checkpoints: [checkpoint] }))?.reason).toBe('unknown_key')
    expect((await problemOf(forged, { checkpoints: [named] }))?.reason).toBe('bad_checkpoint')
  })

  it('refuses statements that contradict each other', async () => {
    const forged = rewrittenFrom(2)(chain)
    const checkpoints = [checkpointAt(chain, 6), checkpointAt(forged, 6)]
    expect(await problemOf(chain, { checkpoints })).toMatchObject({ reason: 'rewritten', seq: 6 })
  })

  it('accepts the checkpoints of several keys', async () => {
    const rotated = keysOf('two', 'one')
    const newer = signCheckpoint(rotated, recordAt(chain, 8), 'interval', new Date(begun))
    const checkpoints = [checkpointAt(chain, 4), newer]
    expect(
      await verdictOf(chain, { checkpoints, publicKeys: rotated.publicKeys.values() }),
    ).toMatchObject({ intact: true, provenThrough: 8 })
  })

  it('lets a source that it does not read to its end know', async () => {
    let closed = false
    async function* source(): AsyncGenerator<unknown> {
      try {
        yield* [7, 8]
      } finally {
        closed = true
      }
    }
    const verdict = await verifyChain({ records: source(), checkpoints: [], publicKeys })
    expect([verdict.intact, closed]).toEqual([false, true])
  })

  it('throws what its source throws, and for what is no key', async () => {
    async function* source(): AsyncGenerator<unknown> {
      yield recordAt(chain, 1)
      throw new Error('unreadable')
    }
    await expect(verifyChain({ records: source(), checkpoints: [], publicKeys })).rejects.toThrow(
      'unreadable',
    )
    await expect(verdictOf(chain, { publicKeys: ['nonsense'] })).rejects.toThrow(AuditError)
  })

  it('says what it found in a sentence', async () => {
    const message = async (records: unknown[]): Promise<ChainProblem['message'] | undefined> =>
      (await problemOf(records))?.message
    expect(await message(chain.slice(2))).toBe(
      'Records 1 to 2 are missing, though never dropped under a signature.',
    )
    expect(await message(replaced(3, forge(recordAt(chain, 3))))).toBe(
      "Record 3 was altered: its hash isn't that of what it says.",
    )
  })
})
