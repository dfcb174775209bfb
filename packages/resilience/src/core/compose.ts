import type { CallExecution } from './execution.ts'
import { createPolicy, start } from './guard.ts'
import type { Policy, Work } from './policy.ts'

/**
 * Makes one policy of several, outermost first: `compose(fallback, retry, breaker, timeout)` retries
 * what passed the breaker, and each try has the time limit. Without any policy it just calls the work.
 */
export function compose(...policies: readonly Policy[]): Policy {
  const [outermost, ...inner] = policies
  if (outermost === undefined) return createPolicy(start)
  const inwards = inner.reverse()
  return createPolicy(<T>(work: Work<T>, execution: CallExecution): Promise<T> => {
    let next = work
    for (const policy of inwards) {
      const guarded = next
      next = (told) => policy.execute(guarded, told)
    }
    return outermost.execute(next, execution)
  })
}
