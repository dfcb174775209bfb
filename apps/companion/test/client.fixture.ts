import { ADMIN_KEY, type TestCompanion } from './companion.fixture.ts'

/** A body as a test looks into it. */
type Body = Record<string, unknown>

/** What came back. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export interface Asking {
  /** Default: the admin's; null for none. */
  readonly key?: string | null
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks a companion over HTTP. */
export async function ask(
  { url }: Pick<TestCompanion, 'url'>,
  method: string,
  path: string,
  { key = ADMIN_KEY, body, headers = {} }: Asking = {},
): Promise<Answered> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  const read: unknown = isJson ? JSON.parse(text) : { text }
  return { status: response.status, headers: response.headers, body: Object(read) }
}

/** Makes a key with these scopes. */
export async function keyWith(
  companion: Pick<TestCompanion, 'url'>,
  scopes: readonly string[],
  key: string = ADMIN_KEY,
): Promise<{ readonly key: string; readonly id: string }> {
  const { status, body } = await ask(companion, 'POST', '/api/v1/keys', {
    key,
    body: { name: 'a-key', scopes },
  })
  if (status !== 201) throw new Error(`No key was made: ${JSON.stringify(body)}`)
  return { key: String(body.key), id: String(body.id) }
}
