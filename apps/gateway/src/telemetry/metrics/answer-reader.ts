import type { IncomingHttpHeaders } from 'node:http'
import { type ReportedUsage, UsageScanner } from '../../usage/usage-scanner.ts'
import { modelIn } from './model-name.ts'
import { isDecodable, unpacked } from './packed-answer.ts'

/** A packed answer larger than this is not looked into. */
const MOST_PACKED = 64 * 1024

/** The model is named in the first bytes, before its words. */
const MODEL_BYTES = 4 * 1024

/**
 * Looks at a model's answer as it goes by: which model answers, and what it says it used. Nothing is kept of a
 * plain one; a small one that is packed is looked into behind its end.
 */
export class AnswerReader {
  readonly isStream: boolean
  readonly #encoding: string | undefined
  #namesModel: boolean
  readonly #scanner = new UsageScanner()
  #packed: Buffer[] | undefined
  #size = 0
  model: string | undefined

  /** `namesModel`: whether it is asked for the model. Default true. `undefined`: it is of no kind that tells. */
  static of(headers: IncomingHttpHeaders, namesModel = true): AnswerReader | undefined {
    const type = headers['content-type'] ?? ''
    const isStream = type.startsWith('text/event-stream')
    if (!isStream && !type.startsWith('application/json')) return undefined
    const encoding = headers['content-encoding'] ?? 'identity'
    return new AnswerReader(isStream, encoding === 'identity' ? undefined : encoding, namesModel)
  }

  constructor(isStream: boolean, encoding: string | undefined, namesModel: boolean) {
    this.isStream = isStream
    this.#encoding = encoding
    this.#namesModel = namesModel
  }

  get usage(): ReportedUsage | undefined {
    return this.#scanner.reported
  }

  push(chunk: Buffer): void {
    if (this.#encoding === undefined) this.#read(chunk)
    else if (this.#size <= MOST_PACKED) this.#keep(chunk)
  }

  /** What has to be waited for until all is known. Never rejects. */
  finish(): Promise<void> | undefined {
    const encoding = this.#encoding
    const pieces = this.#packed
    if (encoding === undefined || pieces === undefined || !isDecodable(encoding)) return undefined
    const packed = Buffer.concat(pieces)
    this.#packed = undefined
    this.#size = 0
    return unpacked(packed, encoding).then((bytes) => {
      if (bytes !== undefined) this.#read(bytes)
    })
  }

  #read(bytes: Buffer): void {
    if (this.#namesModel) {
      this.model = modelIn(bytes.subarray(0, MODEL_BYTES))
      this.#namesModel = false
    }
    this.#scanner.push(bytes)
  }

  #keep(chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > MOST_PACKED) {
      this.#packed = undefined
      return
    }
    this.#packed ??= []
    this.#packed.push(Buffer.from(chunk))
  }
}
