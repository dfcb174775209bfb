import type { CopySource } from '../core/recording-store.ts'
import { faultText } from './link.ts'

/** What is sent of a recording at a time. */
export interface Batch {
  /** Kinds and data, in turn: `h` the head, `d` bytes, `e` the end, `f` a fault, `x` that it is too large. */
  readonly entries: readonly (string | Uint8Array)[]
  /** What the recording is then. `large`: still too large; `let_go`: that has ended. */
  readonly becomes: 'open' | 'complete' | 'failed' | 'too_large' | 'large' | 'let_go'
  /** Whether what was recorded isn't there: of use only if nobody follows. */
  readonly bare: boolean
}

/** So much is enough for one entry. */
const ENTRY_BYTES = 256 * 1024

/** What is to be sent of a recording, piece by piece. */
export class CopyBatches<Head> {
  readonly #source: CopySource<Head>
  readonly #kept: boolean
  #next = 0
  #headed = false
  /** Whether it was told to be too large. */
  large = false
  /** Whether anybody may follow it elsewhere: as long as nobody does, its bytes stay here. */
  wanted: boolean

  constructor(source: CopySource<Head>, kept: boolean, wanted: boolean) {
    this.#source = source
    this.#kept = kept
    this.wanted = wanted
  }

  /** What says nothing but that the recorder is there. */
  get sign(): Batch {
    return { entries: [], becomes: this.large ? 'large' : 'open', bare: true }
  }

  /** What comes next; nothing, if nothing has to be sent now. */
  next(): Batch | undefined {
    const { state, intact } = this.#source
    if (this.large) return state === 'open' ? undefined : bare('let_go')
    if (!intact && state !== 'failed') {
      this.large = true
      return { entries: ['x', ''], becomes: 'too_large', bare: false }
    }
    const wanted = this.wanted || (this.#kept && state === 'complete')
    if (!wanted) return state === 'open' ? undefined : bare(state)
    return this.#piece()
  }

  #piece(): Batch | undefined {
    const source = this.#source
    const entries: (string | Uint8Array)[] = []
    if (!this.#headed && source.head !== undefined) {
      this.#headed = true
      entries.push('h', JSON.stringify(source.head))
    }
    const data = this.#gather()
    if (data.length > 0) entries.push('d', data)
    if (source.state === 'open' || this.#next < source.length) {
      return entries.length > 0 ? { entries, becomes: 'open', bare: false } : undefined
    }
    if (source.state === 'complete') entries.push('e', '')
    else entries.push('f', faultText(source.fault))
    return { entries, becomes: source.state, bare: false }
  }

  #gather(): Uint8Array {
    const chunks: Uint8Array[] = []
    for (let bytes = 0; this.#next < this.#source.length && bytes < ENTRY_BYTES; this.#next += 1) {
      const chunk = this.#source.chunk(this.#next)
      chunks.push(chunk)
      bytes += chunk.length
    }
    const [first] = chunks
    return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks)
  }
}

function bare(becomes: Batch['becomes']): Batch {
  return { entries: [], becomes, bare: true }
}
