import { NOTHING } from '../format/number.ts'
import { counted, shortName, words } from '../format/text.ts'
import { duration } from '../format/time.ts'
import type { Failure, Step } from './incidents.ts'

/** How many failed, and of what most: `12 kept, mostly first byte timeout`. */
export function commonest(failures: readonly Failure[]): string | undefined {
  if (failures.length === 0) return undefined
  const counts = new Map<string, number>()
  for (const { code } of failures) counts.set(code, (counts.get(code) ?? 0) + 1)
  const [code = '', count = 0] = [...counts].reduce((one, other) =>
    other[1] > one[1] ? other : one,
  )
  const kept = counted(failures.length, 'failure')
  const most = shortName(words(code), 32)
  if (count === failures.length) return failures.length === 1 ? kept : `${kept}, all ${most}`
  return count * 2 > failures.length ? `${kept}, mostly ${most}` : kept
}

/** When a timeline is over: the call's end, or that of what outlasted it. */
export function timelineEnd(steps: readonly Step[], durationMs: number | null): number {
  return steps.reduce((end, { atMs, ms }) => Math.max(end, atMs + (ms ?? 0)), durationMs ?? 0)
}

const THINNEST = 0.8

/** Where a step lies in its call, in percent; what took no time can still be seen. */
export function timelineShares(
  { atMs, ms }: Step,
  end: number,
): { readonly from: number; readonly width: number } {
  if (end <= 0) return { from: 0, width: THINNEST }
  const width = Math.max(THINNEST, ((ms ?? 0) / end) * 100)
  return { from: Math.min(100 - width, (atMs / end) * 100), width }
}

/** What a step was. A kind that the page doesn't know is told as it is. */
export function stepInWords({ kind, attempt, ms }: Step): string {
  const took = ms === null ? '' : duration(ms)
  switch (kind) {
    case 'failure':
      return `Attempt ${attempt ?? NOTHING} failed${took && ` after ${took}`}`
    case 'wait':
      return `Waited${took && ` for ${took}`}`
    case 'rejected':
      return attempt === null ? 'The call was refused' : `Attempt ${attempt} was refused`
    case 'hedge':
      return 'A further attempt was sent beside it'
    case 'fallback':
      return 'The fallback answered'
    default:
      return words(kind)
  }
}
