import { isIP } from 'node:net'

/**
 * The one spelling of a host: an address in its usual form (`0x7f.1`, `2130706433` and `127.0.0.1.` are
 * `127.0.0.1`; IPv6 without brackets and zone), a name in ASCII, lower case and without the root's dot.
 * Undefined for what is no host.
 */
export function canonicalHost(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/s, '$1').replace(/^(.*:.*?)%.*$/s, '$1')
  if (isIP(bare) === 6) return new URL(`http://[${bare}]`).hostname.slice(1, -1)
  if (bare === '' || /[\s:/\\?#@[\]%*]/.test(bare)) return undefined
  const name = URL.parse(`http://${bare}`)?.hostname.replace(/\.$/, '')
  return name === '' ? undefined : name
}
