/** What became of a question to the gateway. */
export type Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }
  /** The session isn't one, or no longer. */
  | { readonly kind: 'unauthorised' }
  /** The gateway didn't answer, or something in front of it did. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface Api {
  get(path: string): Promise<Answer>
  /** Asks for a session; `retryAfterS` tells that there were too many tries. */
  login(key: string): Promise<LoginResult>
  logout(csrf: string | null): Promise<Answer>
}

export type LoginResult =
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly retryAfterS: number | null }
  | { readonly kind: 'failed'; readonly reason: string }

/** A gateway that hangs is no better than one that is gone. */
const PATIENCE_MS = 8_000

/** When to try again where the gateway doesn't say. */
const AGAIN_S = 60

/** The gateway's HTTP, of the same origin as the page. */
export function createApi(fetch: typeof globalThis.fetch): Api {
  const ask = async (path: string, init: RequestInit = {}): Promise<Response | string> => {
    const headers = { accept: 'application/json', ...init.headers }
    const signal = AbortSignal.timeout(PATIENCE_MS)
    try {
      return await fetch(path, { cache: 'no-store', ...init, headers, signal })
    } catch (error) {
      const late = error instanceof DOMException && error.name === 'TimeoutError'
      return late ? `no answer in ${PATIENCE_MS / 1000} s` : 'no connection'
    }
  }
  return {
    get: async (path) => readAnswer(await ask(path)),
    login: async (key) => {
      const body = new URLSearchParams({ key })
      return readLogin(await ask('/dashboard/login', { method: 'POST', body }))
    },
    logout: async (csrf) => {
      const headers: HeadersInit = csrf === null ? {} : { 'x-csrf-token': csrf }
      return readAnswer(await ask('/dashboard/logout', { method: 'POST', headers }))
    },
  }
}

async function readAnswer(response: Response | string): Promise<Answer> {
  if (typeof response === 'string') return { kind: 'failed', reason: response }
  const { status } = response
  if (status === 401 || status === 403) return { kind: 'unauthorised' }
  try {
    const text = await response.text()
    return { kind: 'answer', status, body: text === '' ? null : JSON.parse(text) }
  } catch {
    // The gateway answers in JSON: this is somebody else, or it broke off.
    return { kind: 'failed', reason: `an answer that isn’t the gateway’s (${status})` }
  }
}

function readLogin(response: Response | string): LoginResult {
  if (typeof response === 'string') return { kind: 'failed', reason: response }
  const { ok, status, headers } = response
  if (ok) return { kind: 'open' }
  if (status === 429) {
    const seconds = Number(headers.get('retry-after') ?? Number.NaN)
    return { kind: 'refused', retryAfterS: Number.isFinite(seconds) ? seconds : AGAIN_S }
  }
  return status === 401 || status === 403
    ? { kind: 'refused', retryAfterS: null }
    : { kind: 'failed', reason: `status ${status}` }
}
