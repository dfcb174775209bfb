/**
 * Makes a clock that tells the time as ISO-8601 UTC with milliseconds. The text up to the second is
 * kept: many lines fall into one, and formatting a date costs more than the rest of a short line.
 */
export function isoClock(now: () => number): () => string {
  let second = Number.NaN
  let prefix = ''
  return () => {
    const time = now()
    const current = Math.floor(time / 1_000)
    if (current !== second) {
      second = current
      prefix = new Date(current * 1_000).toISOString().slice(0, 20)
    }
    return `${prefix}${String(Math.floor(time) - current * 1_000).padStart(3, '0')}Z`
  }
}
