import { familyName } from '../metrics/declaration.ts'
import type {
  Exemplar,
  HistogramFamily,
  HistogramPoint,
  MetricFamily,
  NumberFamily,
} from '../metrics/family.ts'
import { boundText, escapedHelp, escapedText, labelPairs, numberText } from './text.ts'

/** Prometheus text 0.0.4, which every scraper knows, or OpenMetrics 1.0, which has units and exemplars. */
export type ExpositionFormat = 'prometheus' | 'openmetrics'

/** How a snapshot is written. */
export interface ExpositionOptions {
  /** Default: `prometheus`. */
  readonly format?: ExpositionFormat
  /** Whether OpenMetrics tells when each series began (`_created`), a line more for each. Default: false. */
  readonly created?: boolean
}

/** An answer to a scrape. */
export interface Exposition {
  /** For the header `content-type`. */
  readonly contentType: string
  readonly body: string
}

const contentTypes: Record<ExpositionFormat, string> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

interface Form {
  readonly openMetrics: boolean
  readonly created: boolean
}

/** Writes a snapshot as text. Any label value can be in it: what needs escaping is escaped. */
export function exposition(
  snapshot: readonly MetricFamily[],
  { format = 'prometheus', created = false }: ExpositionOptions = {},
): Exposition {
  const openMetrics = format === 'openmetrics'
  const form = { openMetrics, created: created && openMetrics }
  let body = ''
  for (const family of snapshot) {
    body += head(family, form)
    body += family.type === 'histogram' ? histogram(family, form) : numbers(family, form)
  }
  return { contentType: contentTypes[format], body: openMetrics ? `${body}# EOF\n` : body }
}

function head({ name, type, help, unit }: MetricFamily, { openMetrics }: Form): string {
  const family = openMetrics ? familyName(name, type) : name
  const written = type === 'updown' ? 'gauge' : type
  const units = openMetrics && unit !== undefined ? `# UNIT ${family} ${unit}\n` : ''
  return `# HELP ${family} ${escapedHelp(help, openMetrics)}\n# TYPE ${family} ${written}\n${units}`
}

function numbers({ name, type, labels, points }: NumberFamily, { created }: Form): string {
  let text = ''
  for (const point of points) {
    const pairs = labelPairs(labels, point.labels)
    const braced = pairs === '' ? '' : `{${pairs}}`
    text += `${name}${braced} ${numberText(point.value)}\n`
    if (created && type === 'counter') {
      text += `${familyName(name, type)}_created${braced} ${seconds(point.createdAt)}\n`
    }
  }
  return text
}

function histogram(family: HistogramFamily, form: Form): string {
  const bounds = [...family.bounds.map((bound) => boundText(bound, form.openMetrics)), '+Inf']
  return family.points.map((point) => histogramSeries(family, point, bounds, form)).join('')
}

function histogramSeries(
  { name, labels }: HistogramFamily,
  point: HistogramPoint,
  bounds: readonly string[],
  { openMetrics, created }: Form,
): string {
  const pairs = labelPairs(labels, point.labels)
  const before = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}le="`
  const braced = pairs === '' ? '' : `{${pairs}}`
  let text = ''
  let below = 0
  for (const [index, bound] of bounds.entries()) {
    below += point.buckets[index] ?? 0
    const exemplar = openMetrics ? exemplarText(point.exemplars?.[index]) : ''
    text += `${before}${bound}"} ${below}${exemplar}\n`
  }
  text += `${name}_sum${braced} ${numberText(point.sum)}\n${name}_count${braced} ${point.count}\n`
  return created ? `${text}${name}_created${braced} ${seconds(point.createdAt)}\n` : text
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return ''
  const { traceId, value, at } = exemplar
  return ` # {trace_id="${escapedText(traceId)}"} ${numberText(value)} ${seconds(at)}`
}

function seconds(milliseconds: number): string {
  return numberText(milliseconds / 1_000)
}
