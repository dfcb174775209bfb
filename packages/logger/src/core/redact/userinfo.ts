const MARK = '://'
const RUN = /[^\s"<>]*/y
const AUTHORITY = /[^/?#]*/y
/** `user:password`, where the password isn't a port with a path behind it. */
const WITH_PASSWORD = /[^\s/?#:@["]*:(?!\d{1,5}[/?#])/y

function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  pattern.test(text)
  return pattern.lastIndex
}

/**
 * Where the userinfo of a URL ends whose authority begins at `from`; -1 when it has none. A password
 * may hold a raw `/` or `@`, so it runs to the run's last `@`; without one, only an `@` in the
 * authority counts, as those of the path belong to it.
 */
function userinfoEnd(text: string, from: number, lastAt: number): number {
  if (lastAt < from) return -1
  WITH_PASSWORD.lastIndex = from
  if (WITH_PASSWORD.test(text)) return lastAt
  const authorityEnd = Math.min(endOf(AUTHORITY, text, from), lastAt + 1)
  const at = text.slice(from, authorityEnd).lastIndexOf('@')
  return at === -1 ? -1 : from + at
}

/** Replaces the userinfo of all URLs in a text, in time linear in its length. */
export function scrubUserinfo(text: string, replacement: string): string {
  let out = ''
  let copied = 0
  let runEnd = 0
  let lastAt = -1
  for (let mark = text.indexOf(MARK); mark !== -1; mark = text.indexOf(MARK, mark)) {
    const from = mark + MARK.length
    if (from > runEnd) {
      runEnd = endOf(RUN, text, from)
      lastAt = text.lastIndexOf('@', runEnd - 1)
    }
    const end = userinfoEnd(text, from, lastAt)
    mark = end === -1 ? from : end
    if (end === -1) continue
    out += text.slice(copied, from) + replacement
    copied = end
  }
  return copied === 0 ? text : out + text.slice(copied)
}
