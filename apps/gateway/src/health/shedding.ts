import { createLoadShedder, type LoadShedder, type Shed } from '@tidegate/health'
import type { Logger } from '@tidegate/logger'
import type { HealthSettings } from '../config/health-settings.ts'
import type { Gate } from '../gates.ts'
import { GatewayError } from '../problems.ts'

/** Refuses some requests while the process has too much to do, so that the others are answered in time. */
export interface Shedding {
  /** For routes alone: what operators and probes ask is never refused. */
  readonly gate: Gate
  /** How many were refused so far, by reason. */
  readonly counts: ReadonlyMap<Shed['reason'], number>
  readonly state: LoadShedder['state']
  close(): void
}

/** @param settings Absent: nothing is ever refused. */
export function openShedding(
  settings: HealthSettings['shedding'],
  logger: Logger,
): Shedding | undefined {
  if (settings === undefined) return undefined
  const shedder = createLoadShedder({
    ...settings,
    onChange: ({ shedding, delayMs, utilization }) => {
      const facts = { delay_ms: Math.round(delayMs), utilization }
      if (shedding) logger.warn(facts, 'too much to do: some requests are refused')
      else logger.info(facts, 'no more requests are refused')
    },
  })
  const counts = new Map<Shed['reason'], number>()
  return {
    counts,
    get state() {
      return shedder.state
    },
    gate: () => {
      const shed = shedder.decide()
      if (shed === undefined) return
      counts.set(shed.reason, (counts.get(shed.reason) ?? 0) + 1)
      throw refusal(shed)
    },
    close: () => shedder.close(),
  }
}

function refusal({ retryAfterMs }: Shed): GatewayError {
  const message = 'The gateway has more to do than it can in time. Nothing was sent.'
  return new GatewayError('overloaded', message, { facts: { retryAfterMs } })
}
