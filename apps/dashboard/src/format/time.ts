import { amount, NOTHING } from './number.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000

/** A measured time: `0.4 ms`, `340 ms`, `2.5 s`, `3 min 20 s`. */
export function duration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return NOTHING
  if (ms < 9.95) return `${Number(Math.max(0, ms).toFixed(1))} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${Number((ms / 1000).toFixed(1))} s`
  return ms < 59_500 ? `${Math.round(ms / 1000)} s` : span(ms)
}

/** How long something has lasted, in its two largest units: `42 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`. */
export function span(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return NOTHING
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return pair(minutes, 'min', seconds % 60, 's')
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'min')
  const days = Math.floor(hours / 24)
  return days < 100 ? pair(days, 'd', hours % 24, 'h') : `${amount(days)} d`
}

function pair(large: number, one: string, small: number, other: string): string {
  return small === 0 ? `${large} ${one}` : `${large} ${one} ${small} ${other}`
}

/** A wall-clock time here: `23:04:10`, with its date when that isn't today's. */
export function clock(at: number, now: number): string {
  const time = new Date(at)
  if (!Number.isFinite(at) || Number.isNaN(time.getTime())) return NOTHING
  const digits = [time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(':')
  return sameDay(time, new Date(now)) ? digits : `${day(time)} ${digits}`
}

/** When something began: the time, and how long ago. */
export function since(at: number, now: number): string {
  return `${clock(at, now)} (${span(now - at)})`
}

/** An axis's label for an instant: seconds within minutes, else minutes; dates where there are days. */
export function tick(at: number, windowMs: number): string {
  const time = new Date(at)
  const minutes = `${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}`
  if (windowMs > 2 * DAY) return day(time)
  return windowMs < 2 * MINUTE ? `${minutes}:${twoDigits(time.getSeconds())}` : minutes
}

/** A window's name in words. */
export function windowName(windowMs: number): string {
  if (windowMs < HOUR) return `${Math.round(windowMs / MINUTE)} minutes`
  const hours = Math.round(windowMs / HOUR)
  return hours === 1 ? 'hour' : `${hours} hours`
}

function sameDay(one: Date, other: Date): boolean {
  return one.toDateString() === other.toDateString()
}

function day(time: Date): string {
  return `${time.getFullYear()}-${twoDigits(time.getMonth() + 1)}-${twoDigits(time.getDate())}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
