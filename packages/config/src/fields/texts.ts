import { z } from 'zod'
import { withKind } from '../core/field.ts'
import { unwrap } from '../core/leaves.ts'
import { Secret } from '../core/secret.ts'
import { type Field, parsed, Refusal } from './parsed.ts'

/** An `http:` or `https:` address, kept as it was written. Errors show neither credentials nor query. */
export function httpUrl(): Field<string, string> {
  const kind = {
    type: 'URL',
    expected: 'an address such as https://api.example.com',
    json: [{ type: 'string', pattern: '^\\s*[hH][tT][tT][pP][sS]?://[^\\s/]' }],
  }
  return parsed(kind, (written) => {
    const url = parseUrl(written)
    // Neither credentials nor a key in the query belong into an error.
    if (typeof written !== 'string' || !url)
      return new Refusal({ echo: !/[@?]/.test(String(written)) })
    if (url.protocol === 'http:' || url.protocol === 'https:') return written
    return new Refusal({ got: `one with ${url.protocol}` })
  })
}

export interface ConnectionUrlOptions {
  /** The protocols that are taken, without the colon: `['redis', 'rediss']`. */
  readonly protocols: readonly [string, ...string[]]
}

/** An address that may hold a password, such as a database's. Becomes a {@link Secret}. */
export function connectionUrl({ protocols }: ConnectionUrlOptions): Field<Secret, string> {
  const kind = {
    type: 'connection URL',
    expected: `an address such as ${protocols[0]}://host:port`,
    json: [{ type: 'string', pattern: `^\\s*(${protocols.join('|')})://` }],
    secret: true,
  }
  return parsed(kind, (written) => {
    const address = typeof written === 'string' ? written.trim() : ''
    const url = parseUrl(address)
    if (!url) return new Refusal()
    if (protocols.includes(url.protocol.slice(0, -1))) return new Secret(address)
    return new Refusal({ got: `one with ${url.protocol}` })
  })
}

export interface SecretOptions {
  /** The least number of characters. 1 unless given. */
  readonly minLength?: number
  /** Values that are refused because they are published, such as one in an example file. */
  readonly published?: readonly string[]
}

/** A key, a password or a token. Becomes a {@link Secret}; no error shows any part of it. */
export function secret(options: SecretOptions = {}): Field<Secret, string> {
  const { minLength = 1, published = [] } = options
  const expected = minLength > 1 ? `a secret of at least ${minLength} characters` : 'a secret'
  const json = [{ type: 'string', minLength }]
  return parsed({ type: 'secret', expected, json, secret: true }, (written) => {
    if (typeof written === 'number') return new Refusal({ got: 'a number; put it in quotes' })
    if (typeof written !== 'string') return new Refusal()
    if (written.length < minLength) return new Refusal({ got: `one of ${written.length}` })
    if (published.includes(written))
      return new Refusal({ got: 'the example value, which is published' })
    return new Secret(written)
  })
}

/** A list, or its items in one text with commas between. Space around items and empty items are dropped. */
export function list<S extends z.ZodType = z.ZodString>(
  item?: S,
): Field<z.output<S>[], string | readonly z.input<S>[]> {
  const schema = item ?? z.string()
  const { kind } = unwrap(schema)
  const split = z
    .custom<string | readonly z.input<S>[]>()
    .transform((written): unknown => (typeof written === 'string' ? splitItems(written) : written))
  const items = split.pipe(z.array(schema)) as unknown as Field<
    z.output<S>[],
    string | readonly z.input<S>[]
  >
  const itemJson = kind?.json ?? [{ type: 'string' }]
  return withKind(items, {
    type: `list of ${kind?.type ?? 'text'}`,
    expected: `a list${kind ? ` of ${kind.type}` : ''}`,
    json: [
      { type: 'array', items: itemJson.length === 1 ? itemJson[0] : { anyOf: itemJson } },
      { type: 'string' },
    ],
    ...(kind?.secret ? { secret: true } : {}),
    show: (value) =>
      Array.isArray(value)
        ? value.map((one) => kind?.show?.(one) ?? String(one)).join(',')
        : String(value),
  })
}

function splitItems(text: string): string[] {
  return text.split(',').flatMap((part) => part.trim() || [])
}

// URL drops line breaks and tabs silently, so that what is checked would not be what is used.
function parseUrl(written: unknown): URL | undefined {
  if (typeof written !== 'string' || !/^[^\s\p{Cc}]+$/u.test(written)) return undefined
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? (URL.parse(written) ?? undefined) : undefined
}
