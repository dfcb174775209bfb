/** A timer may fire a little early: not before the second has begun. */
const AFTER_MS = 10

/**
 * Calls shortly after each second of the clock has begun, once; where the process was busy for longer, the
 * seconds between are left out. Keeps no process alive.
 *
 * @returns what ends it.
 */
export function everySecond(call: () => void): () => void {
  let timer: NodeJS.Timeout
  const next = (): void => {
    timer = setTimeout(tick, 1_000 - (Date.now() % 1_000) + AFTER_MS)
    timer.unref()
  }
  const tick = (): void => {
    next()
    call()
  }
  next()
  return () => clearTimeout(timer)
}
