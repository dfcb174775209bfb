/** Settles as `promise` does, or rejects with the signal's reason as soon as it aborts. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/**
 * Asks a client that knows no signals: the asker leaves when its signal aborts, and the next one waits for the
 * question that is still open rather than add one to it. So a client that hangs has one question at a time.
 */
export function askOnce<T>(ask: () => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let open: Promise<T> | undefined
  return async (signal) => {
    signal.throwIfAborted()
    if (open === undefined) {
      const asked = ask()
      const answered = (): void => {
        open = undefined
      }
      asked.then(answered, answered)
      open = asked
    }
    return await abortable(open, signal)
  }
}
