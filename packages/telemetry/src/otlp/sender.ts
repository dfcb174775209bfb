import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** What became of an export. */
export type Delivery =
  | { readonly delivered: true; readonly body: Uint8Array }
  | { readonly delivered: false; readonly failure: DeliveryFailure; readonly status?: number }

/**
 * Why an export didn't arrive: `unreachable`: no connection, or it broke; `timeout`: no answer in time;
 * `refused`: a status other than 2xx; `closed`: the exporter was shut down meanwhile.
 */
export type DeliveryFailure = 'closed' | 'refused' | 'timeout' | 'unreachable'

export interface SenderOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** For an export with all its retries, in milliseconds. */
  readonly timeoutMs: number
  readonly compression: 'gzip' | 'none'
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: Uint8Array
}

const zip = promisify(gzip)
// An answer says at most why some items were rejected.
const maxAnswerBytes = 65_536
const firstWaitMs = 1_000
const maxWaitMs = 5_000
const leastWaitMs = 100
const maxTries = 5
// OTLP's list: everything else would be refused again.
const worthRetrying = new Set([429, 502, 503, 504])

/**
 * Posts protobuf to a collector. Whatever the collector does (refuse, hang, drip, answer without end,
 * redirect), an export ends within its timeout, and at once when the sender is closed.
 */
export class OtlpSender {
  readonly #options: SenderOptions
  readonly #agent: HttpAgent
  readonly #request: typeof requestHttp
  readonly #underWay = new Set<AbortController>()
  readonly #hurry = new AbortController()
  #isClosed = false

  constructor(options: SenderOptions) {
    this.#options = options
    const isSecure = options.url.protocol === 'https:'
    this.#agent = new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 4 })
    this.#request = isSecure ? requestHttps : requestHttp
  }

  /** Never rejects. */
  async send(body: Uint8Array): Promise<Delivery> {
    if (this.#isClosed) return { delivered: false, failure: 'closed' }
    const endAt = performance.now() + this.#options.timeoutMs
    const giveUp = new AbortController()
    const timer = setTimeout(() => giveUp.abort(), this.#options.timeoutMs).unref()
    this.#underWay.add(giveUp)
    try {
      return await this.#tries(body, giveUp.signal, endAt)
    } catch {
      return { delivered: false, failure: this.#isClosed ? 'closed' : 'timeout' }
    } finally {
      clearTimeout(timer)
      this.#underWay.delete(giveUp)
    }
  }

  /** From now on there is little time: a collector that can't be reached is tried once more, and not waited for. */
  hurry(): void {
    this.#hurry.abort()
  }

  /** Gives up what is under way, and all that comes after. */
  close(): void {
    this.#isClosed = true
    for (const giveUp of this.#underWay) giveUp.abort()
    this.#agent.destroy()
  }

  /** Rejects once the signal is aborted. */
  async #tries(body: Uint8Array, signal: AbortSignal, endAt: number): Promise<Delivery> {
    const sent = this.#options.compression === 'gzip' ? await zip(body) : body
    for (let tries = 1, backoff = firstWaitMs; ; tries += 1, backoff *= 1.5) {
      const answer = await this.#post(sent, signal)
      signal.throwIfAborted()
      if (answer !== undefined && answer.status >= 200 && answer.status <= 299) {
        return { delivered: true, body: answer.body }
      }
      const wait = tries < maxTries ? this.#waitAfter(answer, tries, backoff) : undefined
      if (wait === undefined || performance.now() + wait >= endAt) return undelivered(answer)
      await this.#pause(wait, signal)
    }
  }

  /** Undefined: another try would be in vain. */
  #waitAfter(answer: Answer | undefined, tries: number, backoff: number): number | undefined {
    if (answer !== undefined || !this.#hurry.signal.aborted) {
      return retryWait(answer, Math.min(backoff, maxWaitMs))
    }
    // The first may have met a kept connection that the collector was just closing.
    return tries === 1 ? leastWaitMs : undefined
  }

  /** Rejects once the signal is aborted; ends as the hurry begins. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { signal: hurry } = this.#hurry
    const ended = hurry.aborted ? signal : AbortSignal.any([signal, hurry])
    await delay(ms, undefined, { signal: ended, ref: false }).catch(() => signal.throwIfAborted())
  }

  /** Undefined: there was no answer. */
  #post(body: Uint8Array, signal: AbortSignal): Promise<Answer | undefined> {
    const { url, headers, compression } = this.#options
    return new Promise((resolve) => {
      const request = this.#request(url, {
        method: 'POST',
        agent: this.#agent,
        signal,
        headers: {
          ...headers,
          'content-type': 'application/x-protobuf',
          'content-length': body.byteLength,
          ...(compression === 'gzip' && { 'content-encoding': 'gzip' }),
        },
      })
      request.on('error', () => resolve(undefined))
      request.on('response', (response) => {
        readAnswer(response).then(resolve, () => resolve(undefined))
      })
      request.end(body)
    })
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    // Leaving the loop ends the connection.
    if (size > maxAnswerBytes) break
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    body: size > maxAnswerBytes ? new Uint8Array() : Buffer.concat(chunks),
  }
}

function retryWait(answer: Answer | undefined, backoff: number): number | undefined {
  if (answer !== undefined && !worthRetrying.has(answer.status)) return undefined
  const asked = Number.parseInt(answer?.retryAfter ?? '', 10)
  // Apart from each other, since all who met the same outage would come back at once.
  return asked >= 0 ? Math.max(asked * 1_000, leastWaitMs) : backoff * (0.8 + 0.4 * Math.random())
}

function undelivered(answer: Answer | undefined): Delivery {
  if (answer === undefined) return { delivered: false, failure: 'unreachable' }
  return { delivered: false, failure: 'refused', status: answer.status }
}
