import { parsePublicKeys } from './checkpoint-keys.ts'
import { Lookahead } from './lookahead.ts'
import { type Marks, readMarks } from './marks.ts'
import { type AuditRecord, asRecord, type ChainHead, hashOf } from './record.ts'
import { type ChainProblem, type ChainVerdict, problems } from './verdict.ts'

/** A chain to be verified. */
export interface ChainEvidence {
  /** The records in the order in which they stand; anything may be among them. */
  readonly records: Iterable<unknown> | AsyncIterable<unknown>
  /** The checkpoints, in any order. */
  readonly checkpoints: readonly unknown[]
  /** The public keys of those that may sign, each 43 characters. Take them from where the chain's keeper can't write. */
  readonly publicKeys: Iterable<string>
  /** Behind which the records begin, where that is known to be right. Default: the chain's beginning, as it was signed. */
  readonly start?: ChainHead | undefined
  /** What the chain ends with: a record less or more is found. Default: it may end anywhere behind all checkpoints. */
  readonly end?: ChainHead | undefined
  /** Places of the chain that are known from elsewhere, such as a log. Those that were dropped since say nothing. */
  readonly known?: readonly ChainHead[] | undefined
}

/**
 * Reads a chain from its beginning and tells whether it is as it was written, and if not, the first record that was
 * altered, removed, inserted or reordered. It needs nothing but the public keys, and holds no more than a few records.
 *
 * The chain begins with record 1, or behind the last signed checkpoint that says up to where records were dropped. A
 * record that was altered is told by its own hash. If that was computed anew, it is told by its successor, and if all
 * that follow were computed anew too, by the next checkpoint: then the range in question is named.
 *
 * @throws AuditError `invalid_key` if a public key is none; and whatever reading the records throws
 */
export async function verifyChain(evidence: ChainEvidence): Promise<ChainVerdict> {
  const { checkpoints, known = [], end } = evidence
  const all = end && end.seq > 0 ? [...known, end] : known
  const marks = readMarks(checkpoints, all, parsePublicKeys(evidence.publicKeys))
  if ('problem' in marks) return { intact: false, problem: marks.problem }
  const { start = marks.start } = evidence
  const records = new Lookahead(evidence.records)
  try {
    return await new ChainWalk({ ...marks, start }, records, end).run()
  } finally {
    await records.close()
  }
}

class ChainWalk {
  readonly #marks: Marks
  readonly #ahead: Lookahead<unknown>
  readonly #end: ChainHead | undefined
  #head: ChainHead
  #proven: number
  #position = 0

  constructor(marks: Marks, ahead: Lookahead<unknown>, end: ChainHead | undefined) {
    this.#marks = marks
    this.#ahead = ahead
    this.#end = end
    this.#head = marks.start
    this.#proven = marks.start.seq
  }

  async run(): Promise<ChainVerdict> {
    for (;;) {
      const taken = await this.#ahead.take()
      if (!taken) break
      this.#position += 1
      const record = asRecord(taken.value)
      const problem = record ? await this.#judge(record) : problems.malformed(this.#place)
      if (problem) return { intact: false, problem }
      if (record) this.#accept(record)
    }
    const { seq } = this.#head
    const { furthest, start } = this.#marks
    if (seq < furthest) return { intact: false, problem: problems.removed(seq + 1, furthest) }
    const provenThrough = this.#proven
    return { intact: true, records: this.#position, first: start.seq + 1, last: seq, provenThrough }
  }

  /** Where the record belongs that is being looked at. */
  get #place(): { readonly seq: number; readonly position: number } {
    return { seq: this.#head.seq + 1, position: this.#position }
  }

  #accept({ seq, hash }: AuditRecord): void {
    this.#head = { seq, hash }
    if (this.#marks.hashAt(seq) === hash) this.#proven = seq
  }

  async #judge(record: AuditRecord): Promise<ChainProblem | undefined> {
    const { seq } = this.#place
    if (record.seq === seq && !isWhole(record)) return await this.#unwhole(record)
    if (record.seq !== seq && (await this.#isRenumbered(record))) {
      return problems.altered(this.#place, `it calls itself ${record.seq}`)
    }
    if (record.seq < seq || record.seq > (this.#end?.seq ?? record.seq)) {
      return problems.inserted({ seq: record.seq, position: this.#position })
    }
    if (record.seq > seq) return await this.#gap(record)
    return (
      (await this.#rival(record)) ??
      (await this.#brokenLink(record)) ??
      (await this.#signed(record))
    )
  }

  /** Whether the record is that of its place but for its number: under that it is whole, or both its neighbours fit. */
  async #isRenumbered(record: AuditRecord): Promise<boolean> {
    const { seq } = this.#place
    if (isWhole({ ...record, seq })) return true
    return record.prevHash === this.#head.hash && (await this.#isFollowed(0, seq))
  }

  /** Whether what comes `ahead` items later follows a number, or nothing does and none should. */
  async #isFollowed(ahead: number, seq: number): Promise<boolean> {
    const next = asRecord(await this.#ahead.peek(ahead))
    return next ? next.seq === seq + 1 : this.#marks.furthest === seq
  }

  async #unwhole(record: AuditRecord): Promise<ChainProblem> {
    const next = asRecord(await this.#ahead.peek(0))
    if (next?.seq === record.seq && isWhole(next)) return problems.inserted(this.#place)
    return hashOf(record) === undefined
      ? problems.malformed(this.#place)
      : problems.altered(this.#place, "its hash isn't that of what it says")
  }

  /** Something stands before its turn: it is there again later, or what belongs here comes later, or is gone. */
  async #gap(found: AuditRecord): Promise<ChainProblem> {
    const { seq, position } = this.#place
    const later = new Set<number>()
    for (let taken = await this.#ahead.take(); taken; taken = await this.#ahead.take()) {
      const record = asRecord(taken.value)
      const isSought = record?.seq === seq || record?.seq === found.seq
      if (record && isSought && isWhole(record)) later.add(record.seq)
    }
    if (!later.has(seq)) return problems.removed(seq, found.seq - 1)
    return later.has(found.seq)
      ? problems.inserted({ seq: found.seq, position })
      : problems.reordered({ seq, position }, found.seq)
  }

  /** Two records claim the place: the one that nothing vouches for was inserted. */
  async #rival(record: AuditRecord): Promise<ChainProblem | undefined> {
    const rival = asRecord(await this.#ahead.peek(0))
    if (rival?.seq !== record.seq || !isWhole(rival)) return undefined
    // The record that comes next, under another number: its own turn will tell.
    if (rival.prevHash === record.hash && (await this.#isFollowed(1, record.seq + 1))) {
      return undefined
    }
    const genuine = this.#marks.hashAt(record.seq) ?? asRecord(await this.#ahead.peek(1))?.prevHash
    const isGenuine = genuine === record.hash || genuine !== rival.hash
    return problems.inserted({ seq: record.seq, position: this.#position + (isGenuine ? 1 : 0) })
  }

  /** The record doesn't follow the one before it: one of both was altered and its hash computed anew. */
  async #brokenLink(record: AuditRecord): Promise<ChainProblem | undefined> {
    if (record.prevHash === this.#head.hash) return undefined
    const { seq, position } = this.#place
    const next = asRecord(await this.#ahead.peek(0))
    const vouched = record.hash === (this.#marks.hashAt(seq) ?? next?.prevHash)
    if (vouched && this.#proven < this.#head.seq) {
      const before = { seq: seq - 1, position: position - 1 }
      return problems.altered(before, 'its successor names another hash')
    }
    return problems.altered(this.#place, "it doesn't follow the record before it")
  }

  /** The record is at odds with what was signed. Its successor may know whether it alone is. */
  async #signed(record: AuditRecord): Promise<ChainProblem | undefined> {
    const { seq } = record
    const signed = this.#marks.hashAt(seq)
    if (signed === undefined || signed === record.hash) return undefined
    const next = asRecord(await this.#ahead.peek(0))
    if (next?.prevHash === signed || this.#proven === seq - 1) {
      return problems.altered(this.#place, 'another hash was signed for it')
    }
    return problems.rewritten(this.#proven + 1, seq)
  }
}

/** Whether the record's hash is that of what it says. */
function isWhole(record: AuditRecord): boolean {
  return hashOf(record) === record.hash
}
