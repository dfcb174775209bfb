/** Headers that no handler may set otherwise: they are this server's own word. */
const OURS = /^(?:x-request-id|access-control-.*)$/

/**
 * Puts the kit's flat headers onto a response. What the handler set itself stays, save for the request
 * id and CORS, which are ours; `vary` is extended and cookies are added.
 */
export function applyHeaders(target: Headers, flat: readonly string[]): void {
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] ?? ''
    const value = flat[i + 1] ?? ''
    if (name === 'vary') extendVary(target, value)
    else if (name === 'set-cookie') target.append(name, value)
    else if (OURS.test(name) || !target.has(name)) target.set(name, value)
  }
}

function extendVary(target: Headers, value: string): void {
  const current = target.get('vary')
  if (current === null) {
    target.set('vary', value)
    return
  }
  const known = new Set(current.split(',').map((name) => name.trim().toLowerCase()))
  if (known.has('*')) return
  const missing = value.split(', ').filter((name) => !known.has(name.toLowerCase()))
  if (missing.length > 0) target.set('vary', [current, ...missing].join(', '))
}
