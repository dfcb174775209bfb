/** Without HTTP's optional white space on both sides, which is seldom there. */
export function withoutSpaces(value: string): string {
  let begin = 0
  let end = value.length
  while (begin < end && isSpace(value.charCodeAt(begin))) begin += 1
  while (end > begin && isSpace(value.charCodeAt(end - 1))) end -= 1
  return begin === 0 && end === value.length ? value : value.slice(begin, end)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}
