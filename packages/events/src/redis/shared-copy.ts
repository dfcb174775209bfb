import type { CopySource, SharedCopy } from '../core/recording-store.ts'
import { faultText, type Link } from './link.ts'
import type { RecordingKeys } from './recording-keys.ts'
import { abandonScript, writeScript } from './recording-scripts.ts'

/** How long chunks are gathered before they are sent as one entry. */
const GATHER_MS = 3
/** So much is enough for one entry. */
const ENTRY_BYTES = 256 * 1024
const RETRY_MS = 200
/** How long processes may still read what is over. */
const LINGER_MS = 10_000

/** How a {@link RedisCopy} is made. */
export interface CopyOptions {
  readonly link: Link
  readonly keys: RecordingKeys
  readonly token: string
  readonly keepMs: number
  readonly persist: boolean
  /** Told when there is nothing more to do. */
  onOver(): void
}

interface Batch {
  readonly entries: readonly (string | Uint8Array)[]
  readonly becomes: 'open' | 'complete' | 'failed' | 'too_large' | 'large' | 'let_go'
}

/**
 * Copies a recording of this process into Redis, behind its readers here: it takes chunks from where they are
 * anyway, has one call under way at a time, and repeats what failed until its lease is over.
 */
export class RedisCopy<Head> implements SharedCopy<Head> {
  readonly #options: CopyOptions
  #source: CopySource<Head> | undefined
  #next = 0
  /** How many entries are there for certain. */
  #sent = 0
  #headed = false
  #large = false
  #over = false
  #batch: Batch | undefined
  #running: Promise<void> | undefined
  /** Whether it had readers here, and has not. */
  #left = false
  #asking = false
  #renewedAt = performance.now()

  constructor(options: CopyOptions) {
    this.#options = options
  }

  get busy(): boolean {
    return !this.#over && !this.#large
  }

  begin(source: CopySource<Head>): void {
    this.#source = source
  }

  changed(): void {
    if (this.#over || this.#running !== undefined) return
    this.#running = this.#run()
  }

  alone(): boolean {
    if (!this.busy || this.#source?.intact !== true) return false
    this.#left = true
    this.reconsider()
    return true
  }

  /** Finds out whether anybody is left, if those have left who were here. */
  reconsider(): void {
    const source = this.#source
    if (!this.#left || this.#asking || !this.busy || !source?.unread || this.#options.persist)
      return
    if (source.state !== 'open') return
    this.#asking = true
    const { link, keys, token } = this.#options
    const { name, recording, log } = keys
    link
      .evaluate(abandonScript, [name, recording, log], [token, 0])
      .then((answer) => {
        if (Number(answer) === 1) this.#end()
      })
      .catch(link.onError)
      .finally(() => {
        this.#asking = false
      })
  }

  /** Renews the lease, where nothing was sent for a while. */
  beat(everyMs: number): void {
    this.reconsider()
    if (this.#over || performance.now() - this.#renewedAt < everyMs) return
    this.#batch ??= { entries: [], becomes: this.#large ? 'large' : 'open' }
    this.changed()
  }

  /** Resolves once all of a recording that is over was sent, or can't be. */
  async flushed(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    await pause(GATHER_MS)
    try {
      for (let batch = this.#take(); batch !== undefined; batch = this.#take()) {
        const renewed = await this.#send(batch)
        if (renewed === undefined) await pause(RETRY_MS)
        else if (renewed) this.#done(batch)
        else this.#end()
      }
    } catch (error) {
      // Such as a head that has no JSON.
      this.#options.link.onError(error)
      this.#end()
    }
    // In the turn in which nothing was found: what comes from now on begins another run.
    this.#running = undefined
  }

  #take(): Batch | undefined {
    if (this.#over) return undefined
    this.#batch ??= this.#collect()
    return this.#batch
  }

  /** Says whether the lease still holds; `undefined` when Redis didn't answer, and it may. */
  async #send({ entries, becomes }: Batch): Promise<boolean | undefined> {
    const { link, keys, token, keepMs, persist } = this.#options
    const held = keepMs > 0 || persist ? 1 : 0
    const asked = performance.now()
    const terms = [
      token,
      link.leaseMs,
      link.channels,
      this.#sent + 1,
      becomes,
      keepMs,
      held,
      LINGER_MS,
    ]
    try {
      const slot = [keys.name, keys.recording, keys.log]
      const answer = await link.evaluate(writeScript, slot, [...terms, ...entries])
      this.#renewedAt = asked
      return Number(answer) === 1
    } catch (error) {
      link.onError(error)
      return performance.now() - this.#renewedAt < link.leaseMs ? undefined : false
    }
  }

  #done({ entries, becomes }: Batch): void {
    this.#batch = undefined
    this.#sent += entries.length / 2
    if (becomes === 'too_large') {
      this.#large = true
      this.#source?.copied()
      if (this.#options.keepMs === 0 && !this.#options.persist) this.#end()
    } else if (becomes !== 'open' && becomes !== 'large') this.#end()
  }

  #collect(): Batch | undefined {
    const source = this.#source
    if (source === undefined) return undefined
    const isOpen = source.state === 'open'
    if (this.#large) return isOpen ? undefined : { entries: [], becomes: 'let_go' }
    if (!source.intact && source.state !== 'failed') {
      return { entries: ['x', ''], becomes: 'too_large' }
    }
    const entries: (string | Uint8Array)[] = []
    if (!this.#headed && source.head !== undefined) {
      this.#headed = true
      entries.push('h', JSON.stringify(source.head))
    }
    const data = this.#gather(source)
    if (data.length > 0) entries.push('d', data)
    if (isOpen || this.#next < source.length) {
      return entries.length > 0 ? { entries, becomes: 'open' } : undefined
    }
    if (source.state === 'complete') return { entries: [...entries, 'e', ''], becomes: 'complete' }
    return { entries: [...entries, 'f', faultText(source.fault)], becomes: 'failed' }
  }

  #gather(source: CopySource<Head>): Uint8Array {
    const chunks: Uint8Array[] = []
    for (let bytes = 0; this.#next < source.length && bytes < ENTRY_BYTES; this.#next += 1) {
      const chunk = source.chunk(this.#next)
      chunks.push(chunk)
      bytes += chunk.length
    }
    const [first] = chunks
    return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks)
  }

  /** Nothing is shared any more: readers here go on. */
  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#options.onOver()
    this.#source?.copied()
    this.#source?.abandon()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
