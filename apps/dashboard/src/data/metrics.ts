import { amount, bytes, dollars, percent, perSecond } from '../format/number.ts'
import { shortName } from '../format/text.ts'
import { duration } from '../format/time.ts'

type Unit = (value: number | null) => string

/** The metrics of the gateway's history that the page shows, with their names and units. */
const metrics: Readonly<Record<string, { readonly name: string; readonly unit: Unit }>> = {
  'requests.rate': { name: 'Requests', unit: perSecond },
  'errors.rate': { name: 'Errors', unit: perSecond },
  'errors.ratio': { name: 'Error rate', unit: percent },
  'latency.p50': { name: 'Latency p50', unit: duration },
  'latency.p95': { name: 'Latency p95', unit: duration },
  'latency.p99': { name: 'Latency p99', unit: duration },
  'overhead.p95': { name: 'Gateway overhead p95', unit: duration },
  'requests.active': { name: 'Requests in flight', unit: amount },
  'streams.active': { name: 'Streams in flight', unit: amount },
  'tokens.input': { name: 'Input tokens', unit: perSecond },
  'tokens.output': { name: 'Output tokens', unit: perSecond },
  'cost.usd': { name: 'Cost', unit: dollars },
  'cache.hit_ratio': { name: 'Cache hits', unit: percent },
  'limits.denied': { name: 'Refused by limits', unit: perSecond },
  'limits.violation_ratio': { name: 'Limit violations', unit: percent },
  'retries.rate': { name: 'Retries', unit: perSecond },
  'hedges.rate': { name: 'Hedges', unit: perSecond },
  'cpu.ratio': { name: 'CPU', unit: percent },
  'memory.rss': { name: 'Memory', unit: bytes },
  'eventloop.delay': { name: 'Event-loop delay', unit: duration },
}

/** What is asked for of the history and the stream. */
export const watched: readonly string[] = Object.keys(metrics)

/** A metric's name for people; one that the page doesn't know keeps its own. */
export function metricName(metric: string): string {
  return known(metric)?.name ?? shortName(metric)
}

/** A metric's value in its unit. */
export function metricValue(metric: string, value: number | null): string {
  const unit = known(metric)?.unit ?? (metric.includes('latency') ? duration : amount)
  return unit(value)
}

function known(metric: string) {
  return Object.hasOwn(metrics, metric) ? metrics[metric] : undefined
}
