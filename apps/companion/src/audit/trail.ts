import { type Checkpoint, signCheckpoint } from './checkpoint.ts'
import type { CheckpointKeys } from './checkpoint-keys.ts'
import { type AuditEvent, completeEvent } from './event.ts'
import { exportTrail } from './export.ts'
import { dropSurplus, signHead } from './keeping.ts'
import { recordsBetween } from './pages.ts'
import { type AuditPage, type AuditQuery, cursorBehind, rangeOf } from './query.ts'
import { type AuditRecord, type ChainHead, linkRecord } from './record.ts'
import type { AuditStore } from './store.ts'
import type { ChainVerdict } from './verdict.ts'
import { verifyStored } from './verify-stored.ts'

/** What an {@link AuditTrail} is made of. */
export interface AuditTrailOptions<Tx> {
  readonly store: AuditStore<Tx>
  /** Sign checkpoints. */
  readonly keys: CheckpointKeys
  /** How many records {@link AuditTrail.retain} leaves, 1 or more. Default: 10,000. */
  readonly keep?: number | undefined
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: (() => number) | undefined
  /**
   * Told each checkpoint once it is kept. Write them to a log that the database's keeper can't change: a chain whose
   * checkpoints were removed with its records is found by them alone.
   */
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => void) | undefined
}

/**
 * What happened, on record: each record holds the hash of the one before it, and signed checkpoints vouch for them.
 *
 * Whoever can write to the database but has no key can change what no checkpoint covers yet, and nothing before it
 * without being found. So {@link checkpoint} is to be called often, and at the end.
 */
export interface AuditTrail<Tx> {
  /** The public keys that {@link verifyChain} and exported files are verified with, the current one first. */
  readonly publicKeys: readonly string[]
  /**
   * Puts an event on record; it is there once this resolves. Within a transaction `tx` it is there if that commits.
   * Append last in a transaction, as others can't append until its end.
   *
   * @throws AuditError `invalid_event` if it can't be kept
   */
  append(event: AuditEvent, tx?: Tx): Promise<AuditRecord>
  /** Puts several on record in their order, all or none. */
  appendAll(events: readonly AuditEvent[], tx?: Tx): Promise<readonly AuditRecord[]>
  /** @throws AuditError `invalid_query` */
  query(query: AuditQuery): Promise<AuditPage>
  /**
   * Signs what the chain ends with, once what came since the last checkpoint is verified; nothing if nothing came.
   * Checkpoints of previous keys are signed anew, so that their secrets can be taken away.
   *
   * @throws AuditError `chain_broken` if the chain isn't as it was written: then {@link verify} tells more
   */
  checkpoint(): Promise<Checkpoint | undefined>
  /**
   * Drops the oldest records beyond `keep`, under a signature that says up to where. How many it dropped.
   *
   * @throws AuditError `chain_broken`: what can't be vouched for isn't dropped
   */
  retain(): Promise<number>
  /** Reads the whole chain and tells whether it is as it was written. */
  verify(): Promise<ChainVerdict>
  /**
   * The whole chain as lines of JSON, each with its line feed, in the form that `verifyExport` reads: the end is
   * signed, so a file that was cut is found. A chain that is broken is given as it is.
   *
   * @throws AuditError `export_interrupted` if records were dropped that it hadn't given yet
   */
  exportNdjson(): AsyncGenerator<string, void>
}

const DEFAULT_KEEP = 10_000

/** Makes an audit trail over a store. */
export function createAuditTrail<Tx>(options: AuditTrailOptions<Tx>): AuditTrail<Tx> {
  const { keep = DEFAULT_KEEP } = options
  if (!Number.isSafeInteger(keep) || keep < 1) {
    throw new RangeError('An audit trail keeps 1 record or more.')
  }
  return new StoredTrail(options, keep)
}

class StoredTrail<Tx> implements AuditTrail<Tx> {
  readonly publicKeys: readonly string[]
  readonly #store: AuditStore<Tx>
  readonly #keys: CheckpointKeys
  readonly #keep: number
  readonly #now: () => number
  readonly #onCheckpoint: ((checkpoint: Checkpoint) => void) | undefined
  /** What this process has signed last: what is kept can be older only if somebody has turned it back. */
  #signed: ChainHead | undefined

  constructor(options: AuditTrailOptions<Tx>, keep: number) {
    this.publicKeys = [...options.keys.publicKeys.values()]
    this.#store = options.store
    this.#keys = options.keys
    this.#keep = keep
    this.#now = options.now ?? Date.now
    this.#onCheckpoint = options.onCheckpoint
  }

  async append(event: AuditEvent, tx?: Tx): Promise<AuditRecord> {
    const [record] = await this.appendAll([event], tx)
    if (!record) throw new TypeError('The store has kept nothing')
    return record
  }

  async appendAll(events: readonly AuditEvent[], tx?: Tx): Promise<readonly AuditRecord[]> {
    const complete = events.map(completeEvent)
    if (complete.length === 0) return []
    return await this.#store.exclusively(async (chain) => {
      const records: AuditRecord[] = []
      const at = this.#time()
      for (const event of complete) {
        records.push(linkRecord(records.at(-1) ?? chain.head, event, at))
      }
      await chain.append(records)
      return records
    }, tx)
  }

  async query(query: AuditQuery): Promise<AuditPage> {
    const range = rangeOf(query)
    const records = await this.#store.records({ ...range, limit: range.limit + 1 })
    const page = records.slice(0, range.limit)
    const last = page.at(-1)
    return {
      records: page,
      next: last && records.length > page.length ? cursorBehind(last) : undefined,
    }
  }

  async checkpoint(): Promise<Checkpoint | undefined> {
    const how = { keys: this.#keys, at: this.#time(), signed: this.#signed, keep: this.#keep }
    return this.#told(await this.#store.exclusively((chain) => signHead(chain, how)))
  }

  async retain(): Promise<number> {
    const how = { keys: this.#keys, at: this.#time(), signed: this.#signed, keep: this.#keep }
    const { checkpoint, dropped } = await this.#store.exclusively((chain) =>
      dropSurplus(chain, how),
    )
    this.#told(checkpoint)
    return dropped
  }

  async verify(): Promise<ChainVerdict> {
    for (;;) {
      const checkpoints = await this.#store.checkpoints()
      const known = this.#signed ? [this.#signed] : []
      const how = { checkpoints, publicKeys: this.publicKeys, known }
      const verdict = await verifyStored(this.#store, how)
      // What another one has dropped under a signature since isn't missing.
      if (verdict.intact || !(await this.#wasTrimmed(checkpoints))) return verdict
    }
  }

  async *exportNdjson(): AsyncGenerator<string, void> {
    const { head, checkpoints } = await this.#store.exclusively(async (chain) => ({
      head: chain.head,
      checkpoints: await chain.checkpoints(),
    }))
    const end = head.seq > 0 ? signCheckpoint(this.#keys, head, 'export', this.#time()) : undefined
    yield* exportTrail({
      end,
      checkpoints,
      records: recordsBetween(this.#store, undefined, head.seq),
      wasTrimmed: () => this.#wasTrimmed(checkpoints),
    })
  }

  async #wasTrimmed(before: readonly Checkpoint[]): Promise<boolean> {
    return droppedThrough(await this.#store.checkpoints()) !== droppedThrough(before)
  }

  #told(checkpoint: Checkpoint | undefined): Checkpoint | undefined {
    if (!checkpoint) return undefined
    if (checkpoint.seq >= (this.#signed?.seq ?? 0)) this.#signed = checkpoint
    try {
      this.#onCheckpoint?.(checkpoint)
    } catch {
      // The checkpoint is kept, whatever its observer makes of it.
    }
    return checkpoint
  }

  #time(): Date {
    return new Date(this.#now())
  }
}

function droppedThrough(checkpoints: readonly Checkpoint[]): number {
  const dropped = checkpoints.filter(({ reason }) => reason === 'retention')
  return Math.max(0, ...dropped.map(({ seq }) => seq))
}
