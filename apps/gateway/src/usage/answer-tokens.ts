import type { TokenEndpoint } from './endpoints.ts'
import { ExtraChunk } from './extra-chunk.ts'
import { generatedBytes } from './generated-text.ts'
import { type ReportedUsage, UsageScanner } from './usage-scanner.ts'

/** What can be told of the tokens of one upstream's answer while it goes by. */
export class AnswerTokens {
  readonly #endpoint: TokenEndpoint
  readonly #scanner = new UsageScanner()
  readonly #extra: ExtraChunk | undefined
  readonly isStream: boolean
  /** Bytes of what the model wrote: of a text's stream its words alone, of other answers all there is. */
  bytes = 0
  /** Whether all of it has come, and the upstream hasn't said in the end that it failed. */
  complete = false

  /** `asked`: the stream tells its usage because it was asked to by us. */
  constructor(endpoint: TokenEndpoint, isStream: boolean, asked: boolean) {
    this.#endpoint = endpoint
    this.isStream = isStream
    this.#extra = isStream && asked ? new ExtraChunk() : undefined
  }

  get reported(): ReportedUsage | undefined {
    return this.#scanner.reported
  }

  /** The next whole events of a stream; returns what the client gets of them. */
  events(events: Buffer): Buffer {
    this.push(events)
    return this.#extra === undefined ? events : this.#extra.removeFrom(events)
  }

  /** The next bytes that the client gets as they are. */
  push(bytes: Buffer): void {
    this.#scanner.push(bytes)
    const isText = this.isStream && this.#endpoint !== 'input'
    this.bytes += isText ? generatedBytes(bytes, this.#endpoint) : bytes.length
  }
}
