import { type BatchOptions, type BatchResult, runBatch } from './batch.ts'
import { dataOf } from './body.ts'
import type { CallOptions, HttpResponse, HttpStreamResponse, SendOptions } from './call-options.ts'
import { checkClientSettings } from './check-settings.ts'
import type { EndpointStats } from './endpoint.ts'
import { type HeaderSource, headerSource } from './headers.ts'
import { checkHealth, type HealthOptions, type HealthReport } from './health.ts'
import type { HttpClientOptions } from './options.ts'
import { prepareCall } from './request.ts'
import { type CallTotals, Sender } from './sender.ts'
import { ClientSettingsError } from './settings-issue.ts'
import { type Settings, settleOptions } from './settle-options.ts'
import { readEvents, type ServerSentEvent } from './sse.ts'
import { BodyStream, wholeStream } from './stream.ts'
import type { StandardSchema } from './validation.ts'
import { WholeCalls } from './whole-call.ts'

/** What `request` and `batch` can be given. */
export interface RequestOptions extends CallOptions {
  /** Default `GET`. */
  readonly method?: string | undefined
  /** Begins with `/`; goes after the endpoint's own path. */
  readonly path: string
}

/** What `sse` can be given. */
export interface EventStreamOptions extends Omit<SendOptions, 'throwOnStatus'> {
  /** Default `GET`. */
  readonly method?: string | undefined
  /** Says which event is the last: without it a stream that ends is a StreamInterruptedError. */
  readonly isLast?: ((event: ServerSentEvent) => boolean) | undefined
}

/** What `stream` can be given. */
export interface StreamOptions extends SendOptions {
  /** Default `GET`. */
  readonly method?: string | undefined
}

/** A schema holds for what succeeded. */
interface Validated<Data> {
  readonly schema: StandardSchema<Data>
  readonly throwOnStatus?: true | undefined
}

/** Reads a response whole; its data is what `schema` or `as` says, unknown otherwise. */
export interface SendMethod {
  <Data>(path: string, options: CallOptions & Validated<Data>): Promise<HttpResponse<Data>>
  (path: string, options: CallOptions & { readonly as: 'text' }): Promise<HttpResponse<string>>
  (
    path: string,
    options: CallOptions & { readonly as: 'bytes' },
  ): Promise<HttpResponse<Uint8Array | null>>
  (path: string, options?: CallOptions): Promise<HttpResponse<unknown>>
}

/** How a client and its endpoints have been doing. */
export interface HttpClientStats extends CallTotals {
  readonly endpoints: readonly EndpointStats[]
}

/**
 * Calls one service over HTTP/1.1. Its methods reject with an HttpClientError, which has the call's history
 * as `timeline`, and with a TypeError for what can't be sent. Redirects are not followed.
 */
export interface HttpClient extends AsyncDisposable {
  request<Data>(options: RequestOptions & Validated<Data>): Promise<HttpResponse<Data>>
  request(options: RequestOptions): Promise<HttpResponse<unknown>>
  readonly get: SendMethod
  readonly head: SendMethod
  readonly post: SendMethod
  readonly put: SendMethod
  readonly patch: SendMethod
  readonly delete: SendMethod
  /** Resolves with the head. The body holds its connection until it has been read or is cancelled. */
  stream(path: string, options?: StreamOptions): Promise<HttpStreamResponse>
  /** The events of a stream. Opened when the first one is asked for; not reopened when it breaks. */
  sse(path: string, options?: EventStreamOptions): AsyncIterable<ServerSentEvent, undefined>
  /** Sends many, so many at a time, and tells what became of each. Never rejects for one of them. */
  batch<Data>(
    requests: readonly (RequestOptions & Validated<Data>)[],
    options?: BatchOptions,
  ): Promise<BatchResult<HttpResponse<Data>>[]>
  batch(
    requests: readonly RequestOptions[],
    options?: BatchOptions,
  ): Promise<BatchResult<HttpResponse<unknown>>[]>
  /** Asks `path`, `/health` by default, once. Never rejects. */
  health(path?: string, options?: Omit<HealthOptions, 'path'>): Promise<HealthReport>
  stats(): HttpClientStats
  /** Refuses new calls and waits for those under way, for at most `graceMs` (default 5 000); then ends them. */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

/**
 * Makes a client: pooled connections, several endpoints with a breaker each, retries within a budget, time
 * limits, validated responses. Make one for each service, and keep it.
 *
 * @throws ClientSettingsError with everything that is wrong with the options.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const issues = checkClientSettings(options)
  if (issues.length > 0) throw new ClientSettingsError(issues)
  return new PooledClient(options)
}

class PooledClient implements HttpClient {
  readonly #settings: Settings
  readonly #headers: HeaderSource
  readonly #eventHeaders: HeaderSource
  readonly #sender: Sender
  readonly #whole: WholeCalls

  constructor(options: HttpClientOptions) {
    this.#settings = settleOptions(options)
    this.#headers = headerSource(options.headers, options.auth)
    const accept = { ...options.headers, accept: 'text/event-stream' }
    this.#eventHeaders = headerSource(accept, options.auth)
    this.#sender = new Sender(options, this.#settings)
    this.#whole = new WholeCalls(this.#sender, this.#settings, options)
  }

  readonly get = this.#method('GET')
  readonly head = this.#method('HEAD')
  readonly post = this.#method('POST')
  readonly put = this.#method('PUT')
  readonly patch = this.#method('PATCH')
  readonly delete = this.#method('DELETE')

  async request<Data>(options: RequestOptions): Promise<HttpResponse<Data>> {
    const call = prepareCall(options, this.#settings, this.#headers, false)
    const delivery = await this.#whole.fetch(call, options.dedupe ?? false, options.signal)
    const { status, headers, attempts, endpoint } = delivery
    const fits = status < 400
    const data = await dataOf(delivery, fits ? options : { as: options.as })
    // What a schema lets through is what it says it is.
    return { status, headers, data: data as Data, attempts, endpoint }
  }

  async stream(path: string, options: StreamOptions = {}): Promise<HttpStreamResponse> {
    return this.#open(path, options, this.#headers)
  }

  sse(path: string, options: EventStreamOptions = {}): AsyncIterable<ServerSentEvent, undefined> {
    const { isLast, signal } = options
    const open = (leaving: AbortSignal) => {
      const either = signal === undefined ? leaving : AbortSignal.any([signal, leaving])
      return this.#open(path, { ...options, signal: either }, this.#eventHeaders)
    }
    return readEvents(open, { maxLength: this.#settings.maxResponseBytes, isLast })
  }

  batch<Data>(
    requests: readonly RequestOptions[],
    options: BatchOptions = {},
  ): Promise<BatchResult<HttpResponse<Data>>[]> {
    const { signal } = options
    const send = (request: RequestOptions) => this.request<Data>(withSignal(request, signal))
    return runBatch(requests, send, options)
  }

  health(path?: string, options: Omit<HealthOptions, 'path'> = {}): Promise<HealthReport> {
    return checkHealth(this, { now: this.#settings.now, ...options, path })
  }

  stats(): HttpClientStats {
    const { endpoints, totals } = this.#sender
    return { ...totals, endpoints: endpoints.all.map((endpoint) => endpoint.stats()) }
  }

  close({ graceMs = 5_000 }: { readonly graceMs?: number } = {}): Promise<void> {
    return this.#sender.endpoints.close(graceMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #method(method: string): SendMethod {
    return <Data>(path: string, options: CallOptions = {}) =>
      this.request<Data>({ ...options, method, path })
  }

  async #open(
    path: string,
    options: StreamOptions,
    source: HeaderSource,
  ): Promise<HttpStreamResponse> {
    const call = prepareCall({ ...options, path }, this.#settings, source, true)
    const delivery = await this.#sender.send(call, options.signal)
    const { status, headers, body, attempts, endpoint } = delivery
    const stream = body instanceof BodyStream ? body : wholeStream(body)
    return { status, headers, body: stream, attempts, endpoint }
  }
}

/** A batch's signal ends each of its calls. */
function withSignal(request: RequestOptions, signal: AbortSignal | undefined): RequestOptions {
  if (signal === undefined) return request
  const own = request.signal
  return { ...request, signal: own === undefined ? signal : AbortSignal.any([own, signal]) }
}
