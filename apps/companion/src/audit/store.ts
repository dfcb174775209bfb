import type { Checkpoint } from './checkpoint.ts'
import type { AuditRecord, ChainHead } from './record.ts'

/** Which records are meant: those of which all of this is true. */
export interface AuditFilter {
  readonly tenant?: string | undefined
  readonly actor?: string | undefined
  /** A type, or with `.*` at its end all types that begin so: `api_key.*` has `api_key.created`. */
  readonly type?: string | undefined
  /** Recorded then or later. */
  readonly since?: Date | undefined
  /** Recorded before then. */
  readonly until?: Date | undefined
}

/** A stretch of the records. */
export interface RecordRange extends AuditFilter {
  /** By number. */
  readonly order: 'ascending' | 'descending'
  /** Only what comes behind this number in that order. Default: from the first one on. */
  readonly after?: number | undefined
  /** At most so many. */
  readonly limit: number
}

/** What both the store and its locked chain can be asked. */
interface AuditReader {
  records(range: RecordRange): Promise<readonly AuditRecord[]>
  /** All that are kept, the earliest record's first. */
  checkpoints(): Promise<readonly Checkpoint[]>
}

/** The chain while nobody else can change it. */
export interface LockedChain extends AuditReader {
  /** What it ends with. */
  readonly head: ChainHead
  /** Adds records, of which the last is the new head. They are linked already. */
  append(records: readonly AuditRecord[]): Promise<void>
  /** Keeps a checkpoint, in place of one at the same record. */
  save(checkpoint: Checkpoint): Promise<void>
  /** Drops the checkpoint at a record. */
  forget(seq: number): Promise<void>
  /** Drops the records up to one, that one too, and the checkpoints at those before it. */
  drop(through: number): Promise<void>
}

/**
 * Keeps a chain. It knows nothing of hashes and signatures; `Tx` is what its transactions hand out.
 *
 * To prove one of your own, run {@link auditStoreConformance}.
 */
export interface AuditStore<Tx> extends AuditReader {
  /**
   * Runs `work` while nobody else, in this process or another one, can change the chain. Everything that it does is
   * kept once this resolves, or nothing if it throws. Within a transaction `tx` it is that one's commit that counts,
   * and until then nobody else gets at the chain.
   */
  exclusively<T>(work: (chain: LockedChain) => Promise<T>, tx?: Tx): Promise<T>
}

/** What the types begin with that a filter means by `.*` at its end; undefined if it means one type. */
export function typePrefix(type: string): string | undefined {
  return type.endsWith('.*') ? type.slice(0, -1) : undefined
}
