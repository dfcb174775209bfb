import { withoutSpaces } from './optional-space.ts'

const maxMembers = 32
// The specification asks for 512 at least; what we pass on goes out with each request to an upstream.
const maxLength = 2_048

// Simple keys may begin with a digit since level 2. Values: printable ASCII but , and =, no space last.
const simpleKey = /^[\da-z][\da-z_*/-]{0,255}$/
const tenantKey = /^[\da-z][\da-z_*/-]{0,240}@[a-z][\da-z_*/-]{0,13}$/
const memberValue = /^[ !-+\--<>-~]{0,255}[!-+\--<>-~]$/

/**
 * Reads `tracestate` (several lines of it joined by commas, in order) and gives it as it goes on: the
 * same members in the same order, without empty ones and the white space around them.
 *
 * Undefined when it says nothing, and when it is invalid in any part: a member without a valid key or
 * value, a key twice, more than 32 members, or more than 2,048 characters. It is never repaired, since
 * what is left might say something else.
 */
export function readTracestate(header: string): string | undefined {
  if (header.length > maxLength) return undefined
  const members: string[] = []
  const keys = new Set<string>()
  for (const part of header.split(',')) {
    const member = withoutSpaces(part)
    if (member === '') continue
    const equals = member.indexOf('=')
    const key = member.slice(0, Math.max(equals, 0))
    if (!isKey(key) || !memberValue.test(member.slice(equals + 1)) || keys.has(key))
      return undefined
    keys.add(key)
    if (members.push(member) > maxMembers) return undefined
  }
  return members.length === 0 ? undefined : members.join(',')
}

function isKey(key: string): boolean {
  return simpleKey.test(key) || tenantKey.test(key)
}
