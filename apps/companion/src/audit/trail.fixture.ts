import { begun, keys } from './audit.fixture.ts'
import type { Checkpoint } from './checkpoint.ts'
import { memoryAuditStore } from './memory-store.ts'
import type { AuditRecord, ChainHead } from './record.ts'
import type { AuditStore, LockedChain } from './store.ts'
import { type AuditTrail, type AuditTrailOptions, createAuditTrail } from './trail.ts'

/** What somebody who can write to the store makes of what is read. Absent: nothing. */
interface Tampering {
  records?: (records: readonly AuditRecord[]) => readonly AuditRecord[]
  checkpoints?: (checkpoints: readonly Checkpoint[]) => readonly Checkpoint[]
  head?: (head: ChainHead) => ChainHead
}

/** A store that somebody else can write to: what `tampering` holds at a time is what is read. */
function tamperedStore(store: AuditStore<never>, tampering: Tampering): AuditStore<never> {
  type Reader = Pick<LockedChain, 'records' | 'checkpoints'>
  const readsOf = (reader: Reader): Reader => ({
    records: async (range) => {
      const kept = await reader.records({ order: 'ascending', limit: 100_000 })
      const forged = memoryAuditStore()
      const { records = (same) => same } = tampering
      await forged.exclusively((chain) => chain.append(records(kept)))
      return await forged.records(range)
    },
    checkpoints: async () => {
      const { checkpoints = (same) => same } = tampering
      return checkpoints(await reader.checkpoints())
    },
  })
  return {
    ...readsOf(store),
    exclusively: (work) =>
      store.exclusively((chain) =>
        work({
          ...readsOf(chain),
          head: tampering.head?.(chain.head) ?? chain.head,
          append: (records) => chain.append(records),
          save: (checkpoint) => chain.save(checkpoint),
          forget: (seq) => chain.forget(seq),
          drop: (through) => chain.drop(through),
        }),
      ),
  }
}

export interface TestTrail {
  readonly trail: AuditTrail<never>
  readonly store: AuditStore<never>
  readonly tampering: Tampering
  /** Those that its observer was told. */
  readonly told: Checkpoint[]
  /** Another process of the same trail. */
  again(options?: Partial<AuditTrailOptions<never>>): AuditTrail<never>
  /** Puts as many events on record. */
  fill(count: number): Promise<void>
}

/** A trail in memory, at a time that stands still. */
export function testTrail(options: Partial<AuditTrailOptions<never>> = {}): TestTrail {
  const tampering: Tampering = {}
  const told: Checkpoint[] = []
  const store = tamperedStore(memoryAuditStore(), tampering)
  const onCheckpoint = (checkpoint: Checkpoint) => void told.push(checkpoint)
  const again = (changed: Partial<AuditTrailOptions<never>> = {}) =>
    createAuditTrail({ store, keys, now: () => begun, onCheckpoint, ...options, ...changed })
  const trail = again()
  const fill = async (count: number) => {
    const at = Array.from({ length: count }, (_, index) => index)
    await trail.appendAll(at.map((each) => ({ tenant: 'acme', type: 'a', details: { each } })))
  }
  return { trail, store, tampering, told, again, fill }
}
