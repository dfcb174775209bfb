import { AbortedError } from '../core/errors.ts'

/** What became of one item of a batch. */
export type BatchResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown }

/** How far a batch has come. */
export interface BatchProgress {
  /** Items that have ended, one way or the other. */
  readonly done: number
  /** How many of those failed. */
  readonly failed: number
  readonly total: number
}

/** How a batch is run. */
export interface BatchOptions {
  /** Items under way at a time. Default 8. */
  readonly concurrency?: number | undefined
  /** Items that have not begun when it aborts end as {@link AbortedError}; those under way get it too. */
  readonly signal?: AbortSignal | undefined
  /** Told after each item, in the order in which they end. What it throws is ignored. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined
}

/**
 * Does `work` for each item, a bounded number at a time, and tells what became of each, in the items'
 * order. One item's failure leaves the others alone: the batch itself never rejects.
 *
 * @throws RangeError when `concurrency` is no integer of at least 1.
 */
export async function runBatch<I, T>(
  items: readonly I[],
  work: (item: I, index: number) => T | PromiseLike<T>,
  options: BatchOptions = {},
): Promise<BatchResult<T>[]> {
  const { concurrency = 8, signal, onProgress } = options
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new RangeError('concurrency must be an integer of at least 1.')
  }
  const results = new Array<BatchResult<T>>(items.length)
  const queue = items.entries()
  let done = 0
  let failed = 0

  async function take(item: I, index: number): Promise<BatchResult<T>> {
    try {
      if (signal?.aborted) {
        throw new AbortedError('The batch was aborted before this item began.', {
          cause: signal.reason,
        })
      }
      return { ok: true, value: await work(item, index) }
    } catch (error) {
      return { ok: false, error }
    }
  }

  async function runner(): Promise<void> {
    for (const [index, item] of queue) {
      const result = await take(item, index)
      results[index] = result
      done += 1
      if (!result.ok) failed += 1
      try {
        onProgress?.({ done, failed, total: items.length })
      } catch {
        // An observer's failure is not an item's.
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, runner))
  return results
}
