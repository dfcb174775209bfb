import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { createWebhookSigner, type WebhookSigner } from '@tidegate/crypto/webhooks'
import type { Logger } from '@tidegate/logger'
import { createEgress, createHttpClient, type HttpClient } from '@tidegate/resilience/http'
import type { WebhookSettings } from '../../config/settings.ts'
import { version } from '../../version.ts'

/** What somebody elsewhere is told. */
export interface WebhookEvent {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface WebhookParts {
  readonly settings: WebhookSettings
  readonly logger: Logger
  /** Waits, so many milliseconds, or until the signal aborts: then it may reject. Default: a timer. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
  readonly now?: () => number
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

interface Message {
  readonly id: string
  readonly type: string
  readonly body: string
}

/** What waits while nobody takes it. */
const MAX_WAITING = 100

/** Over some twenty minutes. */
const MAX_ATTEMPTS = 8
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 300_000

const ATTEMPT_MS = 10_000

/** The receiver wants no more of it. */
const GONE = 410

/**
 * Posts events to one address, in their order, each until it is taken or has failed too often. Who tells it
 * of one never waits; where too many wait, the oldest is dropped, and logged.
 */
export class Webhook {
  readonly #parts: Required<WebhookParts>
  readonly #client: HttpClient
  readonly #signer: WebhookSigner
  readonly #path: string
  readonly #host: string
  readonly #closing = new AbortController()
  #waiting: readonly Message[] = []
  #delivering: Promise<void> | undefined

  constructor(parts: WebhookParts) {
    const wait = (ms: number, signal: AbortSignal) =>
      setTimeout(ms, undefined, { signal, ref: false })
    this.#parts = { wait, now: Date.now, random: Math.random, ...parts }
    const { url, secret, allowPrivate } = parts.settings
    this.#signer = createWebhookSigner({ secrets: secret, now: this.#parts.now })
    const { origin, pathname, search, host } = new URL(url)
    this.#path = pathname + search
    this.#host = host
    this.#client = createHttpClient({
      baseUrls: origin,
      headers: { 'user-agent': `tidegate/${version}` },
      timeouts: { totalMs: ATTEMPT_MS },
      ...{ retry: false, breaker: false, connections: 1 },
      egress: createEgress({ private: allowPrivate ? 'allow' : 'deny' }),
    })
  }

  /** How many events wait, the one that is under way included. */
  get waiting(): number {
    return this.#waiting.length
  }

  send({ type, data }: WebhookEvent): void {
    if (this.#closing.signal.aborted) return
    if (this.#waiting.length >= MAX_WAITING) this.#drop()
    const timestamp = new Date(this.#parts.now()).toISOString()
    const message = {
      id: `msg_${randomUUID()}`,
      type,
      body: JSON.stringify({ type, timestamp, data }),
    }
    this.#waiting = [...this.#waiting, message]
    this.#delivering ??= this.#deliver().finally(() => {
      this.#delivering = undefined
    })
  }

  /** Ends what is under way. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#delivering
    await this.#client.close({ graceMs: 0 })
    this.#warnOf(this.#waiting.length)
    this.#waiting = []
  }

  /** The first one may be under way. */
  #drop(): void {
    this.#waiting = this.#waiting.filter((_, index) => index !== 1)
    this.#warnOf(1)
  }

  #warnOf(dropped: number): void {
    if (dropped === 0) return
    this.#parts.logger.warn({ host: this.#host, dropped }, 'webhooks were given up')
  }

  async #deliver(): Promise<void> {
    const { signal } = this.#closing
    for (let message = this.#waiting[0]; message !== undefined; message = this.#waiting[0]) {
      for (let attempt = 1; !signal.aborted; attempt += 1) {
        const isOver = await this.#attempt(message, attempt)
        if (isOver) break
        await this.#pause(attempt)
      }
      if (signal.aborted) return
      this.#waiting = this.#waiting.slice(1)
    }
  }

  async #pause(attempt: number): Promise<void> {
    const { wait, random } = this.#parts
    const longest = Math.min(FIRST_WAIT_MS * 3 ** (attempt - 1), LONGEST_WAIT_MS)
    await wait(longest * (0.5 + random() / 2), this.#closing.signal).catch(() => undefined)
  }

  /** Whether the message is done with: it was taken, or is given up. */
  async #attempt(message: Message, attempt: number): Promise<boolean> {
    const { logger } = this.#parts
    const facts = { host: this.#host, webhook_id: message.id, event: message.type, attempt }
    const answer = await this.#post(message)
    if (this.#closing.signal.aborted) return false
    if (answer === 'taken') {
      logger.debug(facts, 'webhook delivered')
      return true
    }
    const isLast = attempt >= MAX_ATTEMPTS || answer === GONE
    const status = typeof answer === 'number' ? { status: answer } : { err: answer }
    logger.warn({ ...facts, ...status }, isLast ? 'webhook given up' : 'webhook not delivered yet')
    return isLast
  }

  /** `taken`, or the status or error that says it wasn't. */
  async #post({ id, body }: Message): Promise<'taken' | number | Error> {
    try {
      const headers = this.#signer.sign({ id, body })
      const answer = await this.#client.stream(this.#path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        throwOnStatus: false,
        signal: this.#closing.signal,
      })
      answer.body.cancel()
      return answer.status >= 200 && answer.status < 300 ? 'taken' : answer.status
    } catch (error) {
      return error instanceof Error ? error : new Error('Not an Error was thrown.')
    }
  }
}
