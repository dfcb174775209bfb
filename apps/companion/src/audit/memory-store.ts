import type { Checkpoint } from './checkpoint.ts'
import { type AuditRecord, CHAIN_START, type ChainHead } from './record.ts'
import {
  type AuditFilter,
  type AuditStore,
  type LockedChain,
  type RecordRange,
  typePrefix,
} from './store.ts'

interface State {
  readonly head: ChainHead
  readonly records: readonly AuditRecord[]
  readonly checkpoints: readonly Checkpoint[]
}

/** A store in this process's memory, for tests: it forgets all when the process ends. It has no transactions. */
export function memoryAuditStore(): AuditStore<never> {
  let state: State = { head: CHAIN_START, records: [], checkpoints: [] }
  let turn: Promise<unknown> = Promise.resolve()

  async function run<T>(work: (chain: LockedChain) => Promise<T>): Promise<T> {
    const draft = new MemoryChain(state)
    const result = await work(draft)
    state = draft.state
    return result
  }

  return {
    async exclusively(work) {
      const mine = turn.then(() => run(work))
      turn = mine.catch(() => undefined)
      return await mine
    },
    records: async (range) => select(state.records, range),
    checkpoints: async () => state.checkpoints,
  }
}

class MemoryChain implements LockedChain {
  state: State

  constructor(state: State) {
    this.state = state
  }

  get head(): ChainHead {
    return this.state.head
  }

  async append(added: readonly AuditRecord[]): Promise<void> {
    const last = added.at(-1)
    if (!last) return
    const { seq, hash } = last
    const records = [...this.state.records, ...structuredClone(added)]
    this.state = { ...this.state, head: { seq, hash }, records }
  }

  async records(range: RecordRange): Promise<readonly AuditRecord[]> {
    return select(this.state.records, range)
  }

  async checkpoints(): Promise<readonly Checkpoint[]> {
    return this.state.checkpoints
  }

  async save(checkpoint: Checkpoint): Promise<void> {
    await this.forget(checkpoint.seq)
    const checkpoints = [...this.state.checkpoints, { ...checkpoint }]
    this.state = { ...this.state, checkpoints: checkpoints.sort((a, b) => a.seq - b.seq) }
  }

  async forget(seq: number): Promise<void> {
    const checkpoints = this.state.checkpoints.filter((each) => each.seq !== seq)
    this.state = { ...this.state, checkpoints }
  }

  async drop(through: number): Promise<void> {
    const records = this.state.records.filter(({ seq }) => seq > through)
    const checkpoints = this.state.checkpoints.filter(({ seq }) => seq >= through)
    this.state = { ...this.state, records, checkpoints }
  }
}

function select(records: readonly AuditRecord[], range: RecordRange): AuditRecord[] {
  const { order, after, limit } = range
  const isAfter = ({ seq }: AuditRecord) =>
    after === undefined || (order === 'ascending' ? seq > after : seq < after)
  const sorted = order === 'ascending' ? records : records.toReversed()
  return structuredClone(
    sorted.filter((record) => isAfter(record) && matches(record, range)).slice(0, limit),
  )
}

function matches(record: AuditRecord, { tenant, actor, type, since, until }: AuditFilter): boolean {
  const prefix = type === undefined ? '' : typePrefix(type)
  const at = Date.parse(record.at)
  return (
    record.tenant === (tenant ?? record.tenant) &&
    record.actor === (actor ?? record.actor) &&
    (prefix === undefined ? record.type === type : record.type.startsWith(prefix)) &&
    at >= (since?.getTime() ?? at) &&
    (until === undefined || at < until.getTime())
  )
}
