/** The outcome of expanding the variables in a text. */
export type Expansion =
  | { readonly kind: 'text'; readonly text: string; readonly expanded: boolean }
  | { readonly kind: 'unset'; readonly names: readonly string[] }
  | { readonly kind: 'malformed'; readonly at: number }

/** The value of a variable, or undefined when it is unset or empty. */
export type Lookup = (name: string) => string | undefined

// In order: the escape, a reference with an optional default, an opening that is neither.
const TOKEN = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:(?!\$\{)[^}])*))?\}|\$\{/g

/**
 * Expands `${NAME}` and `${NAME:-default}` in one text; `$${` stands for `${` itself. What a variable
 * holds is taken as it is: it is not expanded again and has no syntax. A variable that is empty counts
 * as unset, so its default applies.
 */
export function expand(text: string, lookup: Lookup): Expansion {
  const unset: string[] = []
  let malformedAt: number | undefined
  let expanded = false
  const result = text.replace(TOKEN, (token, name: string | undefined, fallback, at: number) => {
    if (token === '$${') return '${'
    if (name === undefined) {
      malformedAt ??= at
      return token
    }
    expanded = true
    const value = lookup(name) || fallback
    if (value === undefined) unset.push(name)
    return value ?? ''
  })
  if (malformedAt !== undefined) return { kind: 'malformed', at: malformedAt }
  if (unset.length > 0) return { kind: 'unset', names: unset }
  return { kind: 'text', text: result, expanded }
}
