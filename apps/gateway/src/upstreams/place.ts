import { BulkheadFullError, type Slot } from '@tidegate/resilience'
import { busy, deadline, type Failure } from './failure.ts'
import type { Upstream } from './upstream.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * Waits in line for a place on the upstream, until the deadline at the latest (on the scale of
 * `performance.now()`). Aborting `line` gives the place in it up; what comes of it then means nothing.
 */
export async function waitForPlace(
  upstream: Upstream,
  deadlineAt: number,
  line: AbortController,
): Promise<Slot | Failure> {
  const left = Math.max(0, deadlineAt - performance.now())
  const timer = setTimeout(() => line.abort(), Math.min(left, LONGEST_TIMER_MS))
  try {
    return await upstream.bulkhead.acquire({ signal: line.signal })
  } catch (error) {
    return error instanceof BulkheadFullError ? busy(upstream) : deadline(upstream)
  } finally {
    clearTimeout(timer)
  }
}

/** A place for an attempt beside another one: not waited for, and within the hedges' budget. */
export function takeHedgePlace({ bulkhead, hedgeBudget }: Upstream): Slot | undefined {
  const slot = bulkhead.tryAcquire()
  if (slot === undefined || hedgeBudget?.tryHedge() === true) return slot
  slot.release()
  return undefined
}

/** After how many milliseconds without a first byte another attempt is made; `undefined`: none. */
export function hedgeDelay({ hedge, latency }: Upstream): number | undefined {
  return hedge?.after === 'p95' ? latency?.value(0.95) : hedge?.after
}
