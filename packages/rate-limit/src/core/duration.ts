/** Whole milliseconds as Go prints a duration, which is what OpenAI sends: `17ms`, `1s`, `1.5s`, `6m0s`. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < 1000) return `${ms}ms`
  const seconds = `${(ms % 60_000) / 1000}s`
  if (ms < 60_000) return seconds
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes}m${seconds}`
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`
}
