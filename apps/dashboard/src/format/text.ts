const LONGEST = 80

/** A name to look at: long ones keep their beginning and their end, and none of it moves the text around. */
export function shortName(name: string, longest = LONGEST): string {
  const plain = visible(name)
  const letters = [...plain]
  if (letters.length <= longest) return plain
  const tail = Math.floor(longest / 3)
  return `${letters.slice(0, longest - tail - 1).join('')}…${letters.slice(-tail).join('')}`
}

/** Control characters and those that turn or hide text are shown as what they are: something odd. */
export function visible(name: string): string {
  const shown = name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
  return shown.trim() === '' ? '(empty)' : shown
}

/** `first_byte_timeout` and `half-open` in words. */
export function words(code: string): string {
  return visible(code.replaceAll(/[_-]+/g, ' '))
}

/** `1 request`, `2 requests`; irregular plurals are given. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
