import type { DetectorOptions } from './detector.ts'

/** How long it takes, in milliseconds: unusual is half as much again, and 25 ms, of 20 requests at least. */
export function latencyDetector(metric: string): DetectorOptions {
  return { metric, minRelativeChange: 0.5, minChange: 25, minWeight: 20 }
}

/** A share of requests that fail, 0 to 1: unusual is 3 of 100 more than expected, of 20 requests at least. */
export function errorDetector(metric: string): DetectorOptions {
  return { metric, isRatio: true, minRelativeChange: 0.5, minChange: 0.03, minWeight: 20 }
}

/**
 * How much is used (requests, tokens), in either direction: unusual is half as much again, or half as much.
 *
 * @param minChange What matters at all, in the unit of the metric. Default 1.
 */
export function usageDetector(metric: string, minChange = 1): DetectorOptions {
  return { metric, direction: 'both', minRelativeChange: 0.5, minChange }
}
