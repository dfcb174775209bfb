import { Bell } from '../core/bell.ts'
import { placeOfId } from '../core/log-id.ts'
import type { RecordingFault } from '../core/recording.ts'
import type { ReplicaTarget } from '../core/recording-store.ts'
import { faultOf, type Link } from './link.ts'
import type { RecordingKeys } from './recording-keys.ts'
import { abandonScript, followScript, leaveScript } from './recording-scripts.ts'
import { readStream, type StreamEntry, textOf } from './stream.ts'

const PAGE = 16
const RETRY_MS = 200
/** How often to say that it follows while there is nothing new, and to ask whether the recorder is there. */
const IDLE_BEAT_MS = 1_000

const LOST: RecordingFault = { code: 'lost', cause: undefined }
const TOO_LARGE: RecordingFault = { code: 'too_large', cause: undefined }
const NOTHING = new Uint8Array()

/** How a {@link Replica} is made. */
export interface ReplicaOptions {
  readonly link: Link
  readonly keys: RecordingKeys
  readonly token: string
  /** Whether the recorder is through: whatever isn't there won't come. */
  readonly complete: boolean
  /** Whether nothing else here follows the same recording. */
  isOnly(): boolean
  /** How long to wait for a hint. */
  pollMs(): number
  onOver(): void
}

/** Follows a recording of another process, once for all its readers here. */
export class Replica<Head> {
  readonly #options: ReplicaOptions
  readonly #target: ReplicaTarget<Head>
  readonly #bell = new Bell()
  #last = 0
  #over = false
  #through: boolean
  #heardAt = performance.now()
  #beatAt = performance.now()

  constructor(options: ReplicaOptions, target: ReplicaTarget<Head>) {
    this.#options = options
    this.#target = target
    this.#through = options.complete
    target.recorder.listen({ onDrain: () => undefined, onAbandoned: () => this.#leave() })
    void this.#run()
  }

  /** There may be more. */
  wake(): void {
    this.#bell.ring()
  }

  stop(): void {
    this.#over = true
    this.#bell.ring()
  }

  async #run(): Promise<void> {
    const { onError, leaseMs } = this.#options.link
    while (!this.#over) {
      const since = this.#bell.rings
      try {
        const more = await this.#read()
        if (!more && !this.#over) await this.#idle(since)
        this.#heardAt = performance.now()
      } catch (error) {
        onError(error)
        if (performance.now() - this.#heardAt > leaseMs) this.#lose()
        else await this.#bell.wait({ since: this.#bell.rings, ms: RETRY_MS })
      }
    }
    this.#options.onOver()
  }

  /** Reads what there is, and says whether there was anything. */
  async #read(): Promise<boolean> {
    const { link, keys } = this.#options
    const entries = await readStream(link.redis, keys.log, {
      from: placeOfId(`${this.#last}-0`) + 1n,
      limit: PAGE,
    })
    for (const entry of entries) if (!this.#over) this.#apply(entry)
    if (entries.length === 0 && this.#through) this.#lose()
    else if (performance.now() - this.#beatAt > link.leaseMs * 0.3) await this.#beat()
    return entries.length > 0
  }

  async #idle(since: number): Promise<void> {
    const ms = Math.min(this.#options.pollMs(), this.#options.link.leaseMs * 0.3)
    await this.#bell.wait({ since, ms })
    const isDue = performance.now() - this.#beatAt >= Math.min(IDLE_BEAT_MS, ms)
    if (!this.#over && this.#bell.rings === since && isDue) await this.#beat()
  }

  /** After it has said that it is over, whatever was recorded is there. */
  async #beat(): Promise<void> {
    const { link, keys, token } = this.#options
    this.#beatAt = performance.now()
    const answer = await link.evaluate(
      followScript,
      [keys.recording],
      [...[link.me, link.leaseMs, token, link.channels]],
    )
    if (answer !== 'open') this.#through = true
  }

  #apply({ id, fields }: StreamEntry): void {
    const kind = textOf(fields.get('t') ?? NOTHING)
    // What was evicted, or begun anew after a loss, has no beginning.
    const isNext = kind === 'x' || id === `${this.#last + 1}-0`
    this.#last += 1
    try {
      if (isNext) this.#replay(kind, fields.get('d') ?? NOTHING)
      else this.#lose()
    } catch (error) {
      // Not of this form: nobody can read it.
      this.#options.link.onError(error)
      this.#lose()
    }
  }

  #replay(kind: string, data: Uint8Array): void {
    const { recorder } = this.#target
    if (kind === 'h') recorder.head(JSON.parse(textOf(data)))
    else if (kind === 'd') recorder.push(data)
    else if (kind === 'f') this.#close(faultOf(textOf(data)))
    else if (kind === 'x') this.#close(TOO_LARGE)
    else if (kind === 'e') {
      this.#over = true
      recorder.end()
    }
  }

  /** The recorder is gone, or what it has written: nobody else shall follow it. */
  #lose(): void {
    const { link, keys, token } = this.#options
    const slot = [keys.name, keys.recording, keys.log]
    if (this.#through) link.evaluate(abandonScript, slot, [token, 1]).catch(link.onError)
    this.#close(LOST)
  }

  #close(fault: RecordingFault): void {
    this.#over = true
    this.#target.close(fault)
  }

  #leave(): void {
    if (this.#over) return
    this.stop()
    const { link, keys, token } = this.#options
    if (!this.#options.isOnly()) return
    link
      .evaluate(leaveScript, [keys.recording], [link.me, token, link.channels])
      .catch(link.onError)
  }
}
