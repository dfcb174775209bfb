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
  const left = Math.min(deadlineAt - performance.now(), LONGEST_TIMER_MS)
  const timer = setTimeout(() => line.abort(), left)
  try {
    return await upstream.bulkhead.acquire({ signal: line.signal })
  } catch (error) {
    return error instanceof BulkheadFullError ? busy(upstream) : deadline(upstream)
  } finally {
    clearTimeout(timer)
  }
}
