import assert from 'node:assert/strict'
import type { Json } from './canonical-json.ts'
import type { Checkpoint } from './checkpoint.ts'
import { type AuditEvent, completeEvent } from './event.ts'
import { type AuditRecord, CHAIN_START, linkRecord } from './record.ts'
import type { AuditStore, RecordRange } from './store.ts'

/** A store to be examined. */
interface AuditStoreHarness {
  /** An empty chain, as two processes have it. */
  open(): Promise<readonly [AuditStore<never>, AuditStore<never>]>
}

/** One thing that a store has to do. */
export interface AuditStoreCase {
  readonly name: string
  run(harness: AuditStoreHarness): Promise<void>
}

type Body = (here: AuditStore<never>, there: AuditStore<never>) => Promise<void>

const BEGUN = Date.UTC(2026, 0, 31, 12)
const all: RecordRange = { order: 'ascending', limit: 1_000 }

function storeCase(name: string, body: Body): AuditStoreCase {
  return { name, run: async ({ open }) => await body(...(await open())) }
}

async function append(
  store: AuditStore<never>,
  ...events: readonly Partial<AuditEvent>[]
): Promise<void> {
  await store.exclusively(async (chain) => {
    const records: AuditRecord[] = []
    for (const event of events) {
      const head = records.at(-1) ?? chain.head
      const complete = completeEvent({ tenant: 'acme', type: 'a', ...event })
      records.push(linkRecord(head, complete, new Date(BEGUN + head.seq * 1_000)))
    }
    await chain.append(records)
  })
}

async function seqsOf(store: AuditStore<never>, range: Partial<RecordRange>): Promise<number[]> {
  return (await store.records({ ...all, ...range })).map(({ seq }) => seq)
}

function checkpointOf(seq: number, rest: Partial<Checkpoint> = {}): Checkpoint {
  const at = new Date(BEGUN + 123).toISOString()
  const hash = String(seq % 10).repeat(64)
  return { seq, hash, at, reason: 'interval', keyId: 'key', signature: 'signature', ...rest }
}

const anything: Json = {
  numbers: [0, -1.5, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53],
  texts: ['', '"\\\b\f\n\r\t\u001f', 'ü€😀\u2028', '__proto__'],
  '': [null, true, false, {}, []],
  'ünïcode\u0001': { b: { a: [[]] } },
}

/**
 * What every store of an audit chain has to do, as cases for any test runner:
 * `for (const { name, run } of auditStoreConformance) it(name, () => run({ open }))`. A case rejects with an
 * `AssertionError` that says what is wrong.
 */
export const auditStoreConformance: readonly AuditStoreCase[] = [
  storeCase('an empty chain ends with its start', async (here) => {
    assert.deepEqual(await here.exclusively(async ({ head }) => head), CHAIN_START)
    assert.deepEqual([await here.records(all), await here.checkpoints()], [[], []])
  }),
  storeCase('records are given as they were appended, everywhere', async (here, there) => {
    const event = { details: anything, ip: '::1', requestId: 'r', actor: 'ü\u0001' }
    const appended = await here.exclusively(async (chain) => {
      const complete = completeEvent({ tenant: 'acme', type: 'a', ...event })
      const record = linkRecord(chain.head, complete, new Date(BEGUN + 7))
      await chain.append([record])
      assert.deepEqual(await chain.records(all), [record])
      assert.deepEqual(chain.head, { seq: 1, hash: record.hash })
      return record
    })
    for (const store of [here, there]) {
      assert.deepEqual(await store.records(all), [appended])
      const head = await store.exclusively(async (chain) => chain.head)
      assert.deepEqual(head, { seq: 1, hash: appended.hash })
    }
  }),
  storeCase('nothing is kept of work that throws', async (here, there) => {
    await append(here, {})
    const work = here.exclusively(async (chain) => {
      const complete = completeEvent({ tenant: 'acme', type: 'a' })
      await chain.append([linkRecord(chain.head, complete, new Date(BEGUN))])
      await chain.save(checkpointOf(2))
      await chain.drop(1)
      throw new RangeError('given up')
    })
    await assert.rejects(work, RangeError)
    assert.deepEqual(await seqsOf(there, {}), [1])
    assert.deepEqual(await there.checkpoints(), [])
    assert.equal(await there.exclusively(async ({ head }) => head.seq), 1)
  }),
  storeCase('numbers have no gap, however many append at once', async (here, there) => {
    const stores = Array.from({ length: 30 }, (_, at) => (at % 2 === 0 ? here : there))
    await Promise.all(stores.map((store) => append(store, {}, {})))
    const records = await here.records(all)
    assert.equal(records.length, 60)
    let head = CHAIN_START
    for (const record of records) {
      assert.deepEqual([record.seq, record.prevHash], [head.seq + 1, head.hash])
      head = { seq: record.seq, hash: record.hash }
    }
  }),
  storeCase('thousands are appended at once', async (here) => {
    await append(here, ...Array.from({ length: 2_500 }, () => ({})))
    assert.deepEqual(await seqsOf(here, { after: 2_498 }), [2_499, 2_500])
  }),
  storeCase('a stretch has its order, its beginning and its length', async (here) => {
    await append(here, {}, {}, {}, {}, {})
    assert.deepEqual(await seqsOf(here, {}), [1, 2, 3, 4, 5])
    assert.deepEqual(await seqsOf(here, { after: 2, limit: 2 }), [3, 4])
    assert.deepEqual(await seqsOf(here, { order: 'descending', limit: 2 }), [5, 4])
    assert.deepEqual(await seqsOf(here, { order: 'descending', after: 3 }), [2, 1])
    assert.deepEqual(await seqsOf(here, { after: 5 }), [])
  }),
  storeCase('a filter has what is true of all of it', async (here) => {
    await append(here, { tenant: 'a', actor: 'x' }, { tenant: 'a' }, { tenant: 'b', actor: 'x' })
    assert.deepEqual(await seqsOf(here, { tenant: 'a' }), [1, 2])
    assert.deepEqual(await seqsOf(here, { actor: 'x' }), [1, 3])
    assert.deepEqual(await seqsOf(here, { tenant: 'b', actor: 'x' }), [3])
    assert.deepEqual(await seqsOf(here, { tenant: "' or 1=1 --" }), [])
    const [since, until] = [new Date(BEGUN + 1_000), new Date(BEGUN + 2_000)]
    assert.deepEqual(await seqsOf(here, { since }), [2, 3])
    assert.deepEqual(await seqsOf(here, { until }), [1, 2])
    assert.deepEqual(await seqsOf(here, { since, until }), [2])
  }),
  storeCase('a type stands for itself, and with .* for all that begin so', async (here) => {
    await append(here, { type: 'a_b.c' }, { type: 'a_b.c.d' }, { type: 'axb.c' }, { type: 'a_b' })
    assert.deepEqual(await seqsOf(here, { type: 'a_b.c' }), [1])
    assert.deepEqual(await seqsOf(here, { type: 'a_b.*' }), [1, 2])
    assert.deepEqual(await seqsOf(here, { type: 'a_b' }), [4])
    assert.deepEqual(await seqsOf(here, { type: 'a%.*' }), [])
    assert.deepEqual(await seqsOf(here, { type: '%' }), [])
  }),
  storeCase('checkpoints come in order, one for a record', async (here, there) => {
    const replacement = checkpointOf(4, { reason: 'retention', hash: 'f'.repeat(64) })
    await here.exclusively(async (chain) => {
      for (const seq of [9, 4, 6]) await chain.save(checkpointOf(seq))
    })
    await there.exclusively(async (chain) => {
      await chain.save(replacement)
      await chain.forget(6)
      assert.deepEqual(await chain.checkpoints(), [replacement, checkpointOf(9)])
    })
    assert.deepEqual(await here.checkpoints(), [replacement, checkpointOf(9)])
  }),
  storeCase('what is dropped goes with the checkpoints before it', async (here, there) => {
    await append(here, {}, {}, {}, {}, {})
    await here.exclusively(async (chain) => {
      for (const seq of [1, 3, 5]) await chain.save(checkpointOf(seq))
      await chain.drop(3)
    })
    assert.deepEqual(await seqsOf(there, {}), [4, 5])
    assert.deepEqual(await there.checkpoints(), [checkpointOf(3), checkpointOf(5)])
    assert.equal(await there.exclusively(async ({ head }) => head.seq), 5)
    await append(there, {})
    assert.deepEqual(await seqsOf(here, {}), [4, 5, 6])
  }),
]
