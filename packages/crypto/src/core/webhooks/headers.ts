/** A request's headers: those of `fetch`, of `node:http`, or a plain object with names in any case. */
export type WebhookHeadersIn =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>

export type HeaderFault = 'missing_header' | 'duplicate_header'

/** The one value of a header, or why there is none. */
export function headerOf(
  headers: WebhookHeadersIn,
  name: string,
): { readonly value: string } | { readonly fault: HeaderFault } {
  const values = isHeaders(headers) ? [headers.get(name)] : valuesOf(headers, name)
  const given = values.filter((value) => typeof value === 'string' && value !== '')
  const [value] = given
  if (typeof value !== 'string') return { fault: 'missing_header' }
  return given.length === 1 ? { value } : { fault: 'duplicate_header' }
}

function isHeaders(headers: WebhookHeadersIn): headers is { get(name: string): string | null } {
  return typeof headers.get === 'function'
}

function valuesOf(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  name: string,
): readonly (string | undefined)[] {
  return Object.keys(headers)
    .filter((key) => key.length === name.length && key.toLowerCase() === name)
    .flatMap((key) => headers[key])
}
