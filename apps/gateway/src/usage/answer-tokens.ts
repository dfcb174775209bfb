import type { TokenEndpoint } from './endpoints.ts'
import { generatedBytes } from './generated-text.ts'
import { type ReportedUsage, UsageScanner } from './usage-scanner.ts'

/** What can be told of the tokens of one upstream's answer while it goes by. */
export class AnswerTokens {
  readonly #endpoint: TokenEndpoint
  readonly #scanner = new UsageScanner()
  readonly isStream: boolean
  /** Bytes of what the model wrote: of a text's stream its words alone, of other answers all there is. */
  bytes = 0
  /** Whether all of it has come, and the upstream hasn't said in the end that it failed. */
  complete = false

  constructor(endpoint: TokenEndpoint, isStream: boolean) {
    this.#endpoint = endpoint
    this.isStream = isStream
  }

  get reported(): ReportedUsage | undefined {
    return this.#scanner.reported
  }

  /** The next bytes; of a stream whole events. */
  push(bytes: Buffer): void {
    this.#scanner.push(bytes)
    const isText = this.isStream && this.#endpoint !== 'input'
    this.bytes += isText ? generatedBytes(bytes, this.#endpoint) : bytes.length
  }
}
