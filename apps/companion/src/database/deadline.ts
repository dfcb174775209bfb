import type { TransactionOptions } from './database.ts'
import { DatabaseError } from './errors.ts'

/** How long a transaction may still run, and a signal that says when it is over. */
export interface Deadline {
  /** Aborts when the time is over or the caller has left. Absent: there is no limit. */
  readonly signal?: AbortSignal
  /** Milliseconds left, at least 1; undefined without a limit. */
  readonly remainingMs: () => number | undefined
  /** @throws DatabaseError `deadline_exceeded`. */
  readonly check: () => void
  /** Lets go of the timer and of the caller's signal: to be called once the work has ended. */
  readonly end: () => void
}

const unlimited: Deadline = {
  remainingMs: () => undefined,
  check: () => undefined,
  end: () => undefined,
}

function exceeded(): DatabaseError {
  return new DatabaseError(
    'deadline_exceeded',
    'The transaction was rolled back: its time is over, or its caller has left.',
  )
}

/** The deadline that `options` ask for. */
export function createDeadline({ timeoutMs, signal: caller }: TransactionOptions): Deadline {
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new DatabaseError('deadline_exceeded', 'No time is left for a transaction.')
  }
  if (timeoutMs === undefined && caller === undefined) return unlimited
  const endsAt = timeoutMs === undefined ? undefined : performance.now() + timeoutMs
  const over = new AbortController()
  const abort = () => over.abort()
  const timer = timeoutMs === undefined ? undefined : setTimeout(abort, Math.ceil(timeoutMs))
  timer?.unref()
  caller?.addEventListener('abort', abort, { once: true })
  if (caller?.aborted === true) abort()
  return {
    signal: over.signal,
    remainingMs: () =>
      endsAt === undefined ? undefined : Math.max(1, Math.ceil(endsAt - performance.now())),
    check: () => {
      if (over.signal.aborted || (endsAt !== undefined && performance.now() >= endsAt)) {
        throw exceeded()
      }
    },
    end: () => {
      clearTimeout(timer)
      caller?.removeEventListener('abort', abort)
    },
  }
}

/** Settles as `promise` does, or rejects once the deadline is over, if that comes first. */
export async function within<T>(promise: Promise<T>, { signal }: Deadline): Promise<T> {
  if (signal === undefined) return await promise
  const { promise: over, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(exceeded())
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, over])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
