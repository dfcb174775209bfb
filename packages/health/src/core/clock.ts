/** Milliseconds since 1970 (UTC) that never jump: set at the start, and monotonic from then on. */
export function monotonicNow(): number {
  return performance.timeOrigin + performance.now()
}
