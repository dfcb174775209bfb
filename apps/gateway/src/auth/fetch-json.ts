import { type Dispatcher, request } from 'undici'

/** What is asked, and how much time and memory the answer may take. */
export interface JsonRequest {
  readonly url: string
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Sent as a form by POST. Absent: GET. */
  readonly form?: Readonly<Record<string, string>>
  readonly authorization?: string
}

/** Why there is no answer. It never holds what was sent or received. */
export class FetchFault extends Error {
  override readonly name = 'FetchFault'
  /** Of an answer that says no itself. */
  readonly status: number | undefined

  constructor(message: string, { cause, status }: { cause?: unknown; status?: number } = {}) {
    super(message, { cause })
    this.status = status
  }
}

/**
 * Asks an authorization server. Redirects aren't followed: where an answer about who may pass comes from
 * is the configuration's to say, and a credential goes nowhere else.
 *
 * @throws FetchFault for anything but a 200 with JSON, in time and not too large.
 */
export async function fetchJson(dispatcher: Dispatcher, asked: JsonRequest): Promise<unknown> {
  const signal = AbortSignal.timeout(asked.timeoutMs)
  try {
    const { statusCode, headers, body } = await request(asked.url, {
      ...optionsOf(asked),
      dispatcher,
      signal,
    })
    if (statusCode !== 200) {
      // Read, so that the connection stays usable; how much of it is undici's to limit.
      await body.dump({ limit: asked.maxBytes }).catch(() => undefined)
      throw new FetchFault(describeStatus(statusCode), { status: statusCode })
    }
    if (Number(headers['content-length'] ?? 0) > asked.maxBytes) {
      body.destroy()
      throw tooLarge(asked)
    }
    return parse(await readAll(body, asked))
  } catch (error) {
    if (error instanceof FetchFault) throw error
    const message = signal.aborted
      ? `no answer within ${asked.timeoutMs} ms`
      : `no answer: ${codeOf(error)}`
    throw new FetchFault(message, { cause: error })
  }
}

function optionsOf({ form, authorization }: JsonRequest) {
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    ...(authorization !== undefined && { authorization }),
  }
  if (form === undefined) return { method: 'GET', headers } as const
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams(form).toString()
  return { method: 'POST', headers: { ...headers, ...type }, body } as const
}

async function readAll(body: AsyncIterable<Uint8Array>, asked: JsonRequest): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop destroys the body, and with it the connection.
  for await (const chunk of body) {
    size += chunk.length
    if (size > asked.maxBytes) throw tooLarge(asked)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new FetchFault('the answer is no JSON')
  }
}

function tooLarge({ maxBytes }: JsonRequest): FetchFault {
  return new FetchFault(`the answer is larger than ${maxBytes} bytes`)
}

function describeStatus(status: number): string {
  const redirect = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
  return `the answer has status ${status}${redirect}`
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
