import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { ClientGone, type Exchange, ServerError } from '@tidegate/server'
import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'

/** What a request's framing says about its body. */
export type BodyLength = number | 'unknown'

/** The declared length in bytes; 0 = no body; `unknown` = chunked. */
export function bodyLength(incoming: IncomingMessage): BodyLength {
  const { headers } = incoming
  if (headers['transfer-encoding'] !== undefined) return 'unknown'
  const declared = headers['content-length']
  return declared === undefined ? 0 : Number(declared)
}

export interface BodyLimits {
  /** Bytes. */
  readonly limit: number
  /** Milliseconds without a byte after which the client counts as gone slow. */
  readonly idle: number
}

/** The request's whole body, which is read once, whichever stage asks for it first. */
export async function wholeBody(c: Context<GatewayEnv>, limits: BodyLimits): Promise<Buffer> {
  const known = c.get('body')
  if (known !== undefined) return known
  const { incoming, outgoing } = c.env
  const length = bodyLength(incoming)
  if (length !== 'unknown' && length > limits.limit) throw tooLarge(limits.limit)
  let body: Buffer = Buffer.alloc(0)
  if (length !== 0) {
    incoming.welcomeBody(outgoing)
    body = await readBody(incoming, length, limits, c.get('exchange'))
  }
  c.set('body', body)
  return body
}

/**
 * Reads a body whole, until the exchange's deadline at the latest, and notes how long that took. Rejects
 * when it is too large, comes too slowly, or the client leaves.
 */
export async function readBody(
  incoming: IncomingMessage,
  declared: BodyLength,
  limits: BodyLimits,
  exchange: Pick<Exchange, 'deadlineAt' | 'clientMs'>,
): Promise<Buffer> {
  // The parser is still busy with the head; what came in the same packet is there one turn later.
  await undefined
  const arrived = arrivedBody(incoming, declared)
  if (arrived !== undefined) return arrived
  const { deadlineAt = Number.POSITIVE_INFINITY } = exchange
  const from = performance.now()
  const body = await gatherBody(incoming, declared, limits, deadlineAt)
  exchange.clientMs += performance.now() - from
  return body
}

/** The whole body if it came in one piece with the head, as a small one nearly always does. */
function arrivedBody(incoming: IncomingMessage, declared: BodyLength): Buffer | undefined {
  if (incoming.readableLength !== declared) return undefined
  const body: unknown = incoming.read()
  // Its end is still to come: who left it unread would be taken for a body not wanted.
  incoming.resume()
  return body instanceof Buffer ? body : undefined
}

function gatherBody(
  incoming: IncomingMessage,
  declared: BodyLength,
  { limit, idle }: BodyLimits,
  deadlineAt: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => fail(tooSlow(idle)), idle)
    const release = (): void => {
      clearTimeout(timer)
      incoming.off('data', onData).off('end', onEnd).off('close', onClose)
    }
    const finish = (): void => {
      release()
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))
    }
    const fail = (error: Error): void => {
      release()
      reject(error)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      chunks.push(chunk)
      if (size > limit) fail(tooLarge(limit))
      else if (size === declared) finish()
      else if (performance.now() > deadlineAt) fail(tooLong())
      else timer.refresh()
    }
    const onEnd = (): void => finish()
    const onClose = (): void => fail(new ClientGone())
    if (incoming.destroyed) onClose()
    else incoming.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}

/**
 * A body on its way up while it is still coming in, counted and with backpressure. Unlike the request
 * itself it can be destroyed (undici does so when a call fails) without taking the client's connection,
 * and so our answer, with it.
 */
export class Upload extends Readable {
  readonly #incoming: IncomingMessage
  readonly #limits: BodyLimits
  #timer: NodeJS.Timeout | undefined
  #size = 0

  #onSent: () => void = noop

  constructor(incoming: IncomingMessage, limits: BodyLimits) {
    super()
    this.#incoming = incoming
    this.#limits = limits
    this.#expectBytes()
    incoming
      .on('data', this.#onData)
      .once('end', () => {
        clearTimeout(this.#timer)
        this.push(null)
        this.#onSent()
      })
      .once('close', () => {
        if (!incoming.complete) this.destroy(new ClientGone())
      })
  }

  /** Calls back when all of it has come in. */
  onSent(callback: () => void): void {
    this.#onSent = callback
  }

  /** Whether it is the client that has to go on. */
  get starving(): boolean {
    return !this.#incoming.complete && this.#incoming.readableFlowing === true
  }

  override _read(): void {
    if (this.#incoming.readableFlowing === false) this.#expectBytes()
    this.#incoming.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#timer)
    this.#incoming.off('data', this.#onData)
    callback(error)
  }

  #expectBytes(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.destroy(tooSlow(this.#limits.idle)), this.#limits.idle)
  }

  #onData = (chunk: Buffer): void => {
    this.#size += chunk.length
    if (this.#size > this.#limits.limit) {
      this.destroy(tooLarge(this.#limits.limit))
      return
    }
    this.#timer?.refresh()
    if (this.push(chunk)) return
    // The upstream is the slow one now: the client's clock stands still.
    clearTimeout(this.#timer)
    this.#incoming.pause()
  }
}

export function tooLarge(limit: number): ServerError {
  return new ServerError('payload_too_large', `The body is larger than ${limit} bytes.`)
}

/** A byte now and then would keep a request, and its memory, for as long as its sender likes. */
export function tooLong(): ServerError {
  return new ServerError('request_timeout', 'The body did not arrive in the time for the request.')
}

function tooSlow(idle: number): ServerError {
  return new ServerError('request_timeout', `No byte of the body came for ${idle / 1000} s.`)
}

function noop(): void {}
