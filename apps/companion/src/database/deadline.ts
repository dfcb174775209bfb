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
}

function exceeded(): DatabaseError {
  return new DatabaseError(
    'deadline_exceeded',
    'The transaction was rolled back: its time is over, or its caller has left.',
  )
}

/** The deadline that `options` ask for. */
export function createDeadline(options: TransactionOptions): Deadline {
  const { timeoutMs, signal } = options
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new DatabaseError('deadline_exceeded', 'No time is left for a transaction.')
  }
  const endsAt = timeoutMs === undefined ? undefined : performance.now() + timeoutMs
  const signals = [
    ...(signal === undefined ? [] : [signal]),
    ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(Math.ceil(timeoutMs))]),
  ]
  const over = signals.length === 0 ? undefined : AbortSignal.any(signals)
  return {
    ...(over === undefined ? {} : { signal: over }),
    remainingMs: () =>
      endsAt === undefined ? undefined : Math.max(1, Math.ceil(endsAt - performance.now())),
    check: () => {
      if (over?.aborted === true) throw exceeded()
      if (endsAt !== undefined && performance.now() >= endsAt) throw exceeded()
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
