import type { Auth, Credential, HeaderValue } from './options.ts'

type HeaderFields = Readonly<Record<string, HeaderValue>>

/** What a client sends with every call. */
export interface HeaderSource {
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, HeaderValue>
  /** The same as they are sent, where nothing in them changes from call to call. */
  readonly flat: string[] | undefined
  readonly auth: Auth | undefined
}

const DEFAULTS: HeaderFields = {
  accept: 'application/json, */*;q=0.8',
  'user-agent': 'tidegate-resilience',
}

/** Puts together what every call sends. */
export function headerSource(headers: HeaderFields = {}, auth: Auth | undefined): HeaderSource {
  const fields = new Map(Object.entries(DEFAULTS))
  for (const [name, value] of Object.entries(headers)) fields.set(name.toLowerCase(), value)
  const changing = auth !== undefined && typeof credentialOf(auth) === 'function'
  if (auth !== undefined && !changing) fields.set(...authField(auth))
  return {
    fields,
    flat: changing ? undefined : flatten(fields),
    auth: changing ? auth : undefined,
  }
}

/** Name, value, name, value …: a call's own headers before the client's, `type` where none says it. */
export function flatHeaders(
  source: HeaderSource,
  own: HeaderFields | undefined,
  type: string | undefined,
): string[] {
  if (own === undefined && source.flat !== undefined) {
    if (type === undefined || source.fields.has('content-type')) return source.flat
    return [...source.flat, 'content-type', type]
  }
  const fields = new Map(source.fields)
  if (source.auth !== undefined) fields.set(...authField(source.auth))
  if (type !== undefined && !fields.has('content-type')) fields.set('content-type', type)
  for (const [name, value] of Object.entries(own ?? {})) fields.set(name.toLowerCase(), value)
  return flatten(fields)
}

function flatten(fields: ReadonlyMap<string, HeaderValue>): string[] {
  const flat: string[] = []
  for (const [name, value] of fields) {
    if (value === undefined) continue
    for (const one of typeof value === 'string' ? [value] : value) flat.push(name, one)
  }
  return flat
}

function authField(auth: Auth): [name: string, value: string] {
  const secret = reveal(credentialOf(auth))
  if ('bearer' in auth) return ['authorization', `Bearer ${secret}`]
  if ('header' in auth) return [auth.header.toLowerCase(), secret]
  const pair = Buffer.from(`${auth.basic.username}:${secret}`).toString('base64')
  return ['authorization', `Basic ${pair}`]
}

function credentialOf(auth: Auth): Credential {
  if ('bearer' in auth) return auth.bearer
  return 'header' in auth ? auth.value : auth.basic.password
}

function reveal(credential: Credential): string {
  if (typeof credential === 'string') return credential
  return typeof credential === 'function' ? credential() : credential.reveal()
}
