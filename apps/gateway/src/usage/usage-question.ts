import type { Endpoint } from '../upstreams/endpoint.ts'

/** As an endpoint's refusal of `stream_options` names it. */
const REFUSED_NAME = /stream_options|include_usage/

/**
 * How long it is believed. It may have been one model of many: whoever asks for that one must not keep
 * the use of all others from being known.
 */
const BELIEVED_MS = 600_000

/** Whether an endpoint has refused the option lately, and answered without it. */
export function refusesStreamOptions({ streamOptionsRefusedAt }: Endpoint): boolean {
  return performance.now() - streamOptionsRefusedAt < BELIEVED_MS
}

/**
 * Whether one request's stream is asked for its usage, endpoint by endpoint. One that refuses the option
 * is asked again without it; if it answers then, no stream is asked of it for ten minutes.
 */
export class UsageQuestion {
  readonly #needed: boolean
  #asked: Endpoint[] = []
  readonly #refused: Endpoint[] = []

  /** `needed`: the request is for a stream that tells its usage only if asked. */
  constructor(needed: boolean) {
    this.#needed = needed
  }

  /** Whether the next attempt there is to ask. */
  ask(endpoint: Endpoint): boolean {
    const asks =
      this.#needed && !refusesStreamOptions(endpoint) && !this.#refused.includes(endpoint)
    if (asks) this.#asked.push(endpoint)
    return asks
  }

  /** Whether the last attempt there has asked. */
  isAsked(endpoint: Endpoint): boolean {
    return this.#asked.includes(endpoint)
  }

  /** Whether the body of a refusal is about the option that was asked with: then it is left out. */
  isRefusedIn(endpoint: Endpoint, body: Buffer): boolean {
    if (!this.isAsked(endpoint) || !REFUSED_NAME.test(body.toString('latin1'))) return false
    this.#asked = this.#asked.filter((each) => each !== endpoint)
    this.#refused.push(endpoint)
    return true
  }

  /** The endpoint has given a good answer. */
  answered(endpoint: Endpoint): void {
    if (this.#refused.includes(endpoint)) endpoint.streamOptionsRefusedAt = performance.now()
  }
}
