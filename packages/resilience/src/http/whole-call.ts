import { randomUUID } from 'node:crypto'
import { decodedBody, type WholeResponse } from './body.ts'
import type { Delivery } from './call.ts'
import { createDeduper } from './dedupe.ts'
import type { HttpClientOptions } from './options.ts'
import type { PreparedCall } from './request.ts'
import { requestKey } from './request-key.ts'
import { type CachedResponse, cacheLifetimeMs, mayAnswerFromCache } from './response-cache.ts'
import type { Sender } from './sender.ts'
import type { Settings } from './settle-options.ts'
import { bounded } from './waiting.ts'

/** A response that came whole, without its content coding. */
export interface WholeDelivery extends WholeResponse {
  readonly attempts: number
}

type HeaderRecord = Record<string, string | string[]>

/** Calls whose responses are read whole: shared with equal ones under way, and kept, where asked for. */
export class WholeCalls {
  readonly #sender: Sender
  readonly #settings: Settings
  readonly #cache: HttpClientOptions['cache']
  /** Keys of different services differ, also in a store that several clients share. */
  readonly #scope: string
  readonly #deduper = createDeduper<WholeDelivery>()

  constructor(sender: Sender, settings: Settings, { baseUrls, cache }: HttpClientOptions) {
    this.#sender = sender
    this.#settings = settings
    this.#cache = cache
    this.#scope = typeof baseUrls === 'function' ? randomUUID() : JSON.stringify(baseUrls)
  }

  fetch(
    call: PreparedCall,
    dedupe: boolean,
    signal: AbortSignal | undefined,
  ): Promise<WholeDelivery> {
    if (!dedupe && this.#cache === undefined) return this.#send(call, signal)
    const headers = recordOf(call.headers)
    const { method, path, body } = call
    const key = requestKey({ method, url: this.#scope + path, headers, hasBody: body !== null })
    if (key === undefined) return this.#send(call, signal)
    const work = (shared: AbortSignal | undefined) => this.#cached(call, key, headers, shared)
    if (!dedupe) return work(signal)
    // The same request with another idea of failure, or with less time, is not the same call.
    const { throwOnStatus, totalMs } = call
    return this.#deduper.run(`${key} ${throwOnStatus} ${totalMs}`, work, signal)
  }

  async #cached(
    call: PreparedCall,
    key: string,
    requestHeaders: HeaderRecord,
    signal: AbortSignal | undefined,
  ): Promise<WholeDelivery> {
    const known = mayAnswerFromCache(call.method, requestHeaders)
      ? await this.#lookUp(key, call, signal)
      : undefined
    if (known !== undefined) {
      return { ...known, body: Buffer.from(known.body), attempts: 0, endpoint: 'cache' }
    }
    const delivery = await this.#send(call, signal)
    const { status, headers, body } = delivery
    const { method } = call
    const ttlMs = cacheLifetimeMs({ method, status, requestHeaders, responseHeaders: headers })
    if (ttlMs !== undefined) this.#keep(key, { status, headers, body }, ttlMs)
    return delivery
  }

  async #lookUp(
    key: string,
    { totalMs }: PreparedCall,
    signal: AbortSignal | undefined,
  ): Promise<CachedResponse | undefined> {
    const read = async () => this.#cache?.get(key)
    try {
      return (await bounded(read, { leftMs: totalMs, totalMs, signal })) ?? undefined
    } catch (error) {
      if (signal?.aborted) throw error
      return undefined
    }
  }

  async #keep(key: string, response: CachedResponse, ttlMs: number): Promise<void> {
    try {
      await this.#cache?.set(key, response, ttlMs)
    } catch {
      // What can't be kept is fetched again.
    }
  }

  async #send(call: PreparedCall, signal: AbortSignal | undefined): Promise<WholeDelivery> {
    const delivery = await this.#sender.send(call, signal)
    const whole = { ...delivery, body: bufferOf(delivery) }
    if (delivery.headers['content-encoding'] === undefined) return whole
    return { ...whole, body: await decodedBody(whole, this.#settings.maxResponseBytes) }
  }
}

function bufferOf({ body }: Delivery): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

/** Flat header fields by name. */
function recordOf(flat: readonly string[]): HeaderRecord {
  const record: HeaderRecord = Object.create(null)
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const [name = '', value = ''] = [flat[index], flat[index + 1]]
    const known = record[name]
    record[name] = known === undefined ? value : [known, value].flat()
  }
  return record
}
