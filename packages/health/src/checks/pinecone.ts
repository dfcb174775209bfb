import { type Check, CheckError, type CheckOutcome } from '../core/check.ts'
import { callable, checkNames, wrong } from '../core/option-checks.ts'
import { type Fetch, globalFetch, letGo, readText, targetOf } from './http.ts'

/** Options of {@link pineconeCheck}. */
export interface PineconeCheckOptions {
  /** A text, or what reveals it, such as a `Secret` of `@tidegate/config`. Never shown. */
  readonly apiKey: string | { reveal(): string }
  /** An index that has to exist and be ready. Default: any, or none. */
  readonly index?: string | undefined
  /** Default `https://api.pinecone.io`. */
  readonly baseUrl?: string | URL | undefined
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch | undefined
}

const API_VERSION = '2025-04'
const MAX_BYTES = 1_048_576

/**
 * Asks Pinecone for its indexes. Unhealthy when it can't be reached, refuses the key, or `index` isn't there
 * or ready; degraded when the key is sent away for now (429).
 *
 * @throws HealthError `invalid_option`
 */
export function pineconeCheck(options: PineconeCheckOptions): Check {
  checkNames('pineconeCheck', options, ['apiKey', 'index', 'baseUrl', 'fetch'])
  const { apiKey, index, baseUrl = 'https://api.pinecone.io' } = options
  const send = callable('pineconeCheck: fetch', options.fetch ?? globalFetch)
  const key = typeof apiKey === 'string' ? apiKey : apiKey?.reveal()
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key)) {
    throw wrong('pineconeCheck: apiKey', undefined, 'a key of printable characters')
  }
  const base = targetOf('pineconeCheck: baseUrl', baseUrl)
  const url = `${base.url.replace(/\/+$/, '')}/indexes`
  return async ({ signal }): Promise<CheckOutcome> => {
    const answer = await send(url, {
      method: 'GET',
      headers: { ...base.headers, 'api-key': key, 'x-pinecone-api-version': API_VERSION },
      redirect: 'manual',
      signal,
    })
    if (answer.status === 200) return judge(indexesIn(await readText(answer, MAX_BYTES)), index)
    await letGo(answer)
    return refusalOf(answer.status)
  }
}

function refusalOf(status: number): CheckOutcome {
  const details = { http_status: status }
  if (status === 401 || status === 403) {
    const message = 'Pinecone refused the key: see whether PINECONE_API_KEY is still valid.'
    throw new CheckError('key_refused', message, { details })
  }
  if (status === 429) {
    const error = { code: 'rate_limited', message: 'Pinecone asks for fewer requests.' }
    return { status: 'degraded', error, details }
  }
  throw new CheckError('unexpected_status', `Pinecone answered with the status ${status}.`, {
    details,
  })
}

interface Index {
  readonly name: string
  readonly ready: boolean
}

function indexesIn(body: string): readonly Index[] {
  const { indexes } = parseObject(body)
  if (!Array.isArray(indexes)) {
    throw new CheckError('unexpected_body', 'The answer is no list of indexes: is this Pinecone?')
  }
  return indexes.map((each: { name?: unknown; status?: { ready?: unknown } } | null) => ({
    name: String(each?.name),
    ready: each?.status?.ready === true,
  }))
}

function parseObject(body: string): { readonly indexes?: unknown } {
  try {
    return Object(JSON.parse(body))
  } catch {
    return {}
  }
}

function judge(indexes: readonly Index[], wanted: string | undefined): CheckOutcome {
  const details = {
    indexes: indexes.length,
    ready: indexes.filter(({ ready }) => ready).length,
  }
  if (wanted === undefined) return { details }
  const index = indexes.find(({ name }) => name === wanted)
  if (index?.ready === true) return { details }
  const state = index === undefined ? 'does not exist' : 'is not ready'
  throw new CheckError('index', `The index "${wanted}" ${state}.`, { details })
}
