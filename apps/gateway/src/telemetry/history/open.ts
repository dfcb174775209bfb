import type { Logger } from '@tidegate/logger'
import type { Metrics } from '@tidegate/telemetry'
import type { Anomalies, AnomalyEvent } from '@tidegate/telemetry/anomaly'
import { createHistory, type History, type HistoryStore } from '@tidegate/telemetry/history'
import { redisHistoryStore } from '@tidegate/telemetry/redis'
import type { AnomalySettings, HistorySettings, Settings } from '../../config/settings.ts'
import type { SharedRedis } from '../../redis.ts'
import { ownRoutes } from '../metrics/own-route.ts'
import { watchAnomalies } from './anomalies.ts'
import { everySecond } from './every-second.ts'
import { ownMetrics } from './own-metrics.ts'
import { processReader } from './process-figures.ts'
import { createSampler } from './sampler.ts'
import { Webhook } from './webhook.ts'

const FINE_MS = 1_000
const COARSE_MS = 60_000

/** With Redis: readers of all gateways' streams wait for it. */
const FLUSH_MS = 2_000

/** How often anomalies are looked for, in what was measured since. */
const LOOK_MS = 10_000

export interface HistoryParts {
  readonly settings: Pick<Settings, 'upstreams' | 'telemetry'>
  readonly metrics: Metrics
  readonly redis: SharedRedis | undefined
  readonly logger: Logger
  /** Told when an anomaly begins, and when it has ended. */
  readonly tell?: (event: AnomalyEvent) => void
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
  /** Calls each second, until what it returns is called. Default: by the clock. */
  readonly schedule?: (call: () => void) => () => void
}

/** What metrics were, and what of it is out of the ordinary. */
export interface KeptHistory {
  readonly history: History
  /** Absent: nobody looks for any. */
  readonly anomalies: Anomalies | undefined
  /** Takes what there was since the last time; a timer does, each second. */
  sample(): void
  /** Tells Redis the rest. Never rejects. */
  close(): Promise<void>
}

/** Keeps the history of a gateway's metrics; `undefined`: it is off. */
export function openHistory(parts: HistoryParts): KeptHistory | undefined {
  const { now = Date.now, schedule = everySecond } = parts
  const { history: settings, anomalies: watched } = parts.settings.telemetry
  if (settings === undefined) return undefined
  const upstreams = parts.settings.upstreams.map(({ name }) => name)
  const history = historyOf(settings, upstreams, parts)
  const watch = watched && watchOf(watched, parts)
  const process = processReader()
  const read = createSampler({
    ...{ metrics: parts.metrics, upstreams, process },
    isOwn: (route) => ownRoutes.has(route),
  })
  let looked = Math.floor(now() / LOOK_MS)
  const sample = (): void => {
    const at = now()
    history.sample(read())
    const look = Math.floor(at / LOOK_MS)
    if (watch === undefined || look === looked) return
    looked = look
    watch.anomalies.sample((metric) => history.recent(metric, LOOK_MS), at)
  }
  const end = schedule(sample)
  return {
    ...{ history, anomalies: watch?.anomalies, sample },
    close: async () => {
      end()
      process[Symbol.dispose]()
      await Promise.allSettled([history.close(), watch?.webhook?.close()])
    },
  }
}

function historyOf(
  { seconds, minutes, metrics }: HistorySettings,
  upstreams: readonly string[],
  { redis, logger, now = Date.now }: HistoryParts,
): History {
  const own = ownMetrics(upstreams)
  const history = createHistory({
    store: redis && storeIn(redis, minutes),
    fine: { stepMs: FINE_MS, keepMs: seconds },
    coarse: { stepMs: COARSE_MS, keepMs: minutes },
    maxMetrics: metrics + own.length,
    ...{ flushMs: FLUSH_MS, now },
    onError: (error) => logger.debug({ err: error }, 'the history is not shared for now'),
  })
  for (const { metric, ...what } of own) history.declare(metric, what)
  return history
}

function storeIn({ connections, prefix }: SharedRedis, keepMs: number): HistoryStore {
  return redisHistoryStore({ redis: connections.commands, prefix: `${prefix}:history:1`, keepMs })
}

interface Watch {
  readonly anomalies: Anomalies
  readonly webhook: Webhook | undefined
}

function watchOf(settings: AnomalySettings, { metrics, logger, tell }: HistoryParts): Watch {
  const webhook = settings.webhook && new Webhook({ settings: settings.webhook, logger })
  const anomalies = watchAnomalies({
    ...{ settings, metrics, logger },
    tell: (event) => {
      const { type, ...data } = event
      webhook?.send({ type, data })
      tell?.(event)
    },
  })
  return { anomalies, webhook }
}
