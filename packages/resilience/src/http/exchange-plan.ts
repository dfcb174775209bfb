import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { BodyStream } from './stream.ts'

/** What carries requests one after the other: a connection. */
export interface Carrier {
  /** Counts one more; the first on a new connection is 1. */
  countRequest(): number
}

/** What is sent and how its response is taken. Instants are milliseconds of `now`. */
export interface ExchangePlan {
  readonly method: string
  readonly path: string
  /** Flat: name, value, name, value … */
  readonly headers: string[]
  readonly body: string | Uint8Array | Readable | null
  /** Hands a good response's body out as it comes. Otherwise it is read whole. */
  readonly stream: boolean
  /** Cuts the body of a response with status 400 or above, as it only explains an error. */
  readonly cutErrorBody: boolean
  /** The largest body that is read whole. */
  readonly maxBytes: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
  readonly deadlineAt: number
  /** A keep-alive race will be repeated at once: it says nothing about the endpoint. */
  readonly forgivesRace: boolean
  readonly now: () => number
}

/** What an attempt says about its endpoint; `none` if nothing. */
export type Verdict = 'good' | 'bad' | 'none'

/** Where an attempt goes: it is told what came of it. */
export interface Destination {
  /** How the endpoint is named in errors. */
  readonly label: string
  readonly connectMs: number
  /** The response's head has come, so many milliseconds after the request was sent. */
  headReceived(status: number, ms: number): void
  /** Called once: the connection isn't needed any longer. */
  ended(verdict: Verdict, error: Error | undefined): void
}

/** A response: whole, or with a body that is still coming. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer | BodyStream
}
