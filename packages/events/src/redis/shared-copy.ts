import type { CopySource, SharedCopy } from '../core/recording-store.ts'
import { type Batch, CopyBatches } from './copy-batches.ts'
import type { Link } from './link.ts'
import type { RecordingKeys } from './recording-keys.ts'
import { abandonScript, writeScript } from './recording-scripts.ts'

/** How long chunks are gathered before they are sent. */
const GATHER_MS = 3
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
  /** Whether it can't be relied on that followers are heard of: then it's copied in any case. */
  readonly eager: boolean
  /** Told when there is nothing more to do. */
  onOver(): void
}

/** What Redis says to a batch; `unsure` when it didn't answer, and the lease may still hold. */
type Outcome = 'lost' | 'taken' | 'disowned' | 'refused' | 'unsure'
const OUTCOMES: readonly Outcome[] = ['lost', 'taken', 'disowned', 'refused']

/**
 * Copies a recording of this process into Redis, behind its readers here: it takes chunks from where they are
 * anyway, once somebody wants them, has one call under way at a time, and repeats what failed until its lease
 * is over.
 */
export class RedisCopy<Head> implements SharedCopy<Head> {
  readonly #options: CopyOptions
  #source: CopySource<Head> | undefined
  #batches: CopyBatches<Head> | undefined
  #batch: Batch | undefined
  /** How many entries are there for certain. */
  #sent = 0
  #over = false
  #running: Promise<void> | undefined
  /** Whether it had readers here, and has not. */
  #left = false
  #asking = false
  #renewedAt = performance.now()

  constructor(options: CopyOptions) {
    this.#options = options
  }

  get busy(): boolean {
    return !this.#over && this.#batches?.large !== true
  }

  begin(source: CopySource<Head>): void {
    this.#source = source
    const { keepMs, eager } = this.#options
    this.#batches = new CopyBatches(source, keepMs > 0, eager)
  }

  changed(): void {
    if (this.#over || this.#running !== undefined || !this.#isDue()) return
    this.#running = this.#run()
  }

  alone(): boolean {
    if (!this.busy || this.#source?.intact !== true) return false
    this.#left = true
    this.#reconsider()
    return true
  }

  /** A process follows it, or has left it. */
  heard(): void {
    if (this.#batches !== undefined) this.#batches.wanted = true
    this.#reconsider()
    this.changed()
  }

  /** Renews the lease, where nothing was sent for a while. */
  beat(everyMs: number): void {
    this.#reconsider()
    if (this.#over || performance.now() - this.#renewedAt < everyMs) return
    this.#batch ??= this.#batches?.sign
    this.changed()
  }

  /** Resolves once all of a recording that is over was sent, or can't be. */
  async flushed(): Promise<void> {
    await this.#running
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#over = true
  }

  /** Whether there is anything to send: asked for every chunk, so it looks at little. */
  #isDue(): boolean {
    const { wanted = false } = this.#batches ?? {}
    if (wanted || this.#batch !== undefined) return true
    return this.#source?.state !== 'open' || !this.#source.intact
  }

  /** Finds out whether anybody is left elsewhere, if those have left who were here. */
  #reconsider(): void {
    const source = this.#source
    if (!this.#left || this.#asking || !this.busy || this.#options.persist) return
    if (!source?.unread || source.state !== 'open') return
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

  async #run(): Promise<void> {
    try {
      await pause(GATHER_MS)
      for (let batch = this.#take(); batch !== undefined; batch = this.#take()) {
        const outcome = await this.#send(batch)
        this.#heed(outcome, batch)
        if (!this.#over) await pause(outcome === 'unsure' ? RETRY_MS : GATHER_MS)
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
    this.#batch ??= this.#batches?.next()
    return this.#batch
  }

  async #send({ entries, becomes, bare }: Batch): Promise<Outcome> {
    const { link, keys, token, keepMs, persist } = this.#options
    const terms = [
      ...[token, link.leaseMs, link.channels, this.#sent + 1, becomes],
      ...[keepMs, keepMs > 0 || persist ? 1 : 0, LINGER_MS, bare ? 1 : 0],
    ]
    const asked = performance.now()
    try {
      const slot = [keys.name, keys.recording, keys.log]
      const reply = await link.evaluate(writeScript, slot, [...terms, ...entries])
      const [outcome, followers] = Array.isArray(reply) ? reply.map(Number) : []
      this.#renewedAt = asked
      if (followers && this.#batches !== undefined) this.#batches.wanted = true
      return OUTCOMES[outcome ?? 0] ?? 'lost'
    } catch (error) {
      link.onError(error)
      return performance.now() - this.#renewedAt < link.leaseMs ? 'unsure' : 'lost'
    }
  }

  #heed(outcome: Outcome, { entries, becomes }: Batch): void {
    if (outcome === 'unsure') return
    this.#batch = undefined
    if (outcome === 'disowned') this.#source?.forgotten()
    if (outcome === 'lost') this.#end()
    // Refused: it was about to end without its bytes, and somebody has just begun to follow it.
    if (outcome === 'lost' || outcome === 'refused') return
    this.#sent += entries.length / 2
    const { keepMs, persist } = this.#options
    if (becomes === 'too_large' && (keepMs > 0 || persist)) this.#source?.copied()
    else if (becomes !== 'open' && becomes !== 'large') this.#end()
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
