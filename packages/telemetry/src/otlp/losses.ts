import type { DeliveryFailure } from './sender.ts'

/** What is exported. */
export type Signal = 'metrics' | 'traces'

/**
 * Why something never reached the collector: `queue_full`: it came faster than it went out; `rejected`:
 * the collector took the export and not all that is in it, or it could not be encoded; the others: the
 * whole export failed.
 */
export type LossReason = DeliveryFailure | 'queue_full' | 'rejected'

/** Something that never reached the collector. */
export interface Loss {
  readonly signal: Signal
  readonly reason: LossReason
  /** How many spans, or data points; of an export of metrics that failed: 1. */
  readonly count: number
  /** The collector's status, where it answered. */
  readonly status?: number
}

export type OnLoss = (loss: Loss) => void

/** The observer must not be able to harm what it observes: nobody is there to catch its error. */
export function harmless(onLoss: OnLoss | undefined): OnLoss {
  return (loss) => {
    try {
      onLoss?.(loss)
    } catch {}
  }
}
