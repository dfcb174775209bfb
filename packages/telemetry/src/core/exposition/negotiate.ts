import type { ExpositionFormat } from './exposition.ts'

/** What a client of `/metrics` may get. */
export type MetricsFormat = ExpositionFormat | 'json'

interface Range {
  readonly type: string
  readonly version: string | undefined
  readonly quality: number
}

interface Offer {
  readonly format: MetricsFormat
  readonly type: string
  /** A range that asks for another version doesn't mean it. */
  readonly version: string | undefined
}

const offers: readonly Offer[] = [
  { format: 'prometheus', type: 'text/plain', version: '0.0.4' },
  { format: 'openmetrics', type: 'application/openmetrics-text', version: '1.0.0' },
  { format: 'json', type: 'application/json', version: undefined },
]

/** Longer ones are no scraper's. */
const maxAcceptLength = 2_048

/**
 * Chooses the format by the request's `Accept` (RFC 9110, 12.5.1): the greatest `q`, then the more exact
 * range, then the one that comes first. Without the header, or when it names nothing of ours, it is the
 * Prometheus text: a scraper that gets something can say what it is.
 */
export function negotiate(accept: string | undefined): MetricsFormat {
  if (accept === undefined || accept.length > maxAcceptLength) return 'prometheus'
  const ranges = accept.split(',').map(parseRange)
  let best: Fit = { quality: 0, exactness: 0, position: 0 }
  let chosen: MetricsFormat = 'prometheus'
  for (const offer of offers) {
    const fit = fitOf(offer, ranges)
    if (fit === undefined || fit.quality === 0 || !isBetter(fit, best)) continue
    best = fit
    chosen = offer.format
  }
  return chosen
}

interface Fit {
  readonly quality: number
  readonly exactness: number
  readonly position: number
}

/** The most exact range that means an offer decides about it, be it to refuse it. */
function fitOf(offer: Offer, ranges: readonly Range[]): Fit | undefined {
  let fit: Fit | undefined
  for (const [position, range] of ranges.entries()) {
    const exactness = exactnessOf(range, offer)
    if (exactness <= (fit?.exactness ?? 0)) continue
    fit = { quality: range.quality, exactness, position }
  }
  return fit
}

function isBetter(one: Fit, other: Fit): boolean {
  if (one.quality !== other.quality) return one.quality > other.quality
  if (one.exactness !== other.exactness) return one.exactness > other.exactness
  return one.position < other.position
}

function exactnessOf(range: Range, { type, version }: Offer): number {
  if (range.type === '*/*') return 1
  if (range.type.endsWith('/*')) return type.startsWith(range.type.slice(0, -1)) ? 2 : 0
  if (range.type !== type) return 0
  if (range.version === undefined || version === undefined) return 3
  return range.version === version ? 4 : 0
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameterOf = (name: string) =>
    parameters
      .find((parameter) => parameter.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .replaceAll('"', '')
  const quality = Number(parameterOf('q') ?? 1)
  return {
    type,
    version: parameterOf('version'),
    quality: quality >= 0 && quality <= 1 ? quality : 0,
  }
}
