import type { Logger } from '@tidegate/logger'
import type { CounterSeries } from '@tidegate/telemetry'
import type { Loss, OnLoss } from '@tidegate/telemetry/otlp'

/** A collector that is away is told of this often, not for each export that it doesn't get. */
const TOLD_EVERY_MS = 60_000

/** Counts spans that never arrive, and tells the log that something doesn't. */
export function countLosses(
  logger: Pick<Logger, 'warn'>,
  dropped: Pick<CounterSeries, 'add'> | undefined,
  now: () => number = () => performance.now(),
): OnLoss {
  let told = Number.NEGATIVE_INFINITY
  let lost = 0
  return ({ signal, reason, count, status }: Loss) => {
    if (signal === 'traces') dropped?.add(count)
    lost += count
    if (now() - told < TOLD_EVERY_MS) return
    told = now()
    logger.warn({ signal, reason, status, lost }, 'telemetry does not reach the collector')
    lost = 0
  }
}
