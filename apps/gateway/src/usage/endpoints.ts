/**
 * What an endpoint uses tokens for: the three that generate text, by the protocol that they answer in;
 * `input`: whatever else takes a body, such as embeddings, where only the input counts ahead.
 */
export type TokenEndpoint = 'completions' | 'responses' | 'messages' | 'input'

const GENERATING: readonly (readonly [suffix: string, endpoint: TokenEndpoint])[] = [
  ['/completions', 'completions'],
  ['/responses', 'responses'],
  ['/messages', 'messages'],
]

/** Calls that no provider charges tokens for, by any segment of their path. */
const FREE =
  /\/(?:files|uploads|moderations|models|count_tokens|input_tokens|cancel|conversations|vector_stores|containers)(?:\/|$)/

/** What a request to a normalised path uses tokens for; `undefined`: nothing. */
export function tokenEndpoint(method: string, path: string): TokenEndpoint | undefined {
  if (method !== 'POST') return undefined
  const plain = plainPath(path)
  const generating = GENERATING.find(([suffix]) => plain.endsWith(suffix))
  if (generating !== undefined) return generating[1]
  return FREE.test(plain) ? undefined : 'input'
}

/** As lenient servers read it, who pass over case, empty segments and what stands behind a semicolon. */
function plainPath(path: string): string {
  const segments = path.toLowerCase().split('/')
  const names = segments.map((segment) => segment.split(';', 1)[0] ?? '')
  return `/${names.filter((name) => name !== '').join('/')}`
}
