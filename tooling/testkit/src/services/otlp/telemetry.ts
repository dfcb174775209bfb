import { metricsRequest, traceRequest } from './schema.ts'
import { decode, type Message } from './wire.ts'

/** What an attribute may hold; integers too large for a number stay bigint. */
type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | Buffer
  | undefined
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue }

export type Attributes = Readonly<Record<string, AttributeValue>>

interface ReceivedEvent {
  readonly name: string
  readonly attributes: Attributes
  readonly timeUnixNano: bigint
}

interface ReceivedLink {
  readonly traceId: string
  readonly spanId: string
  readonly traceState: string
  readonly attributes: Attributes
}

/** One span as a collector got it; ids in lower-case hex. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Undefined at the root of a trace. */
  readonly parentSpanId: string | undefined
  readonly traceState: string
  readonly name: string
  readonly kind: 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  readonly startTimeUnixNano: bigint
  readonly endTimeUnixNano: bigint
  readonly attributes: Attributes
  readonly events: readonly ReceivedEvent[]
  readonly links: readonly ReceivedLink[]
  readonly status: { readonly code: 'unset' | 'ok' | 'error'; readonly message: string }
  readonly flags: number
  readonly resource: Attributes
  readonly scope: string
}

export interface ReceivedPoint {
  readonly attributes: Attributes
  readonly startTimeUnixNano: bigint
  readonly timeUnixNano: bigint
  /** Of a gauge or sum. */
  readonly value: number | undefined
  /** Of a histogram, as are `sum`, `bucketCounts`, `bounds`. */
  readonly count: number | undefined
  readonly sum: number | undefined
  readonly bucketCounts: readonly number[]
  readonly bounds: readonly number[]
}

/** One metric of one export. */
export interface ReceivedMetric {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly type: 'gauge' | 'sum' | 'histogram'
  readonly temporality: 'unspecified' | 'delta' | 'cumulative'
  readonly isMonotonic: boolean
  readonly points: readonly ReceivedPoint[]
  readonly resource: Attributes
  readonly scope: string
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const
const statusCodes = ['unset', 'ok', 'error'] as const
const temporalities = ['unspecified', 'delta', 'cumulative'] as const

function messages(message: Message, field: string): readonly Message[] {
  return (message[field] as readonly Message[] | undefined) ?? []
}

function inner(message: Message, field: string): Message {
  return (message[field] as Message | undefined) ?? {}
}

function text(message: Message, field: string): string {
  return (message[field] as string | undefined) ?? ''
}

function time(message: Message, field: string): bigint {
  return (message[field] as bigint | undefined) ?? 0n
}

function hex(message: Message, field: string): string {
  return ((message[field] as Buffer | undefined) ?? Buffer.alloc(0)).toString('hex')
}

function optionalNumber(message: Message, field: string): number | undefined {
  const value = message[field] as number | bigint | undefined
  return value === undefined ? undefined : Number(value)
}

function attributeOf(value: Message): AttributeValue {
  if (value.intValue !== undefined) {
    const whole = value.intValue as bigint
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
  }
  if (value.arrayValue !== undefined) {
    return messages(inner(value, 'arrayValue'), 'values').map(attributeOf)
  }
  if (value.kvlistValue !== undefined) return attributesOf(inner(value, 'kvlistValue'), 'values')
  return Object.values(value)[0] as AttributeValue
}

function attributesOf(message: Message, field = 'attributes'): Attributes {
  const entries = messages(message, field).map((item) => {
    return [text(item, 'key'), attributeOf(inner(item, 'value'))] as const
  })
  return Object.fromEntries(entries)
}

function spanOf(span: Message, resource: Attributes, scope: string): ReceivedSpan {
  const parent = hex(span, 'parentSpanId')
  const status = inner(span, 'status')
  return {
    traceId: hex(span, 'traceId'),
    spanId: hex(span, 'spanId'),
    parentSpanId: parent === '' ? undefined : parent,
    traceState: text(span, 'traceState'),
    name: text(span, 'name'),
    kind: kinds[optionalNumber(span, 'kind') ?? 0] ?? 'unspecified',
    startTimeUnixNano: time(span, 'startTimeUnixNano'),
    endTimeUnixNano: time(span, 'endTimeUnixNano'),
    attributes: attributesOf(span),
    events: messages(span, 'events').map((event) => ({
      name: text(event, 'name'),
      attributes: attributesOf(event),
      timeUnixNano: time(event, 'timeUnixNano'),
    })),
    links: messages(span, 'links').map((link) => ({
      traceId: hex(link, 'traceId'),
      spanId: hex(link, 'spanId'),
      traceState: text(link, 'traceState'),
      attributes: attributesOf(link),
    })),
    status: {
      code: statusCodes[optionalNumber(status, 'code') ?? 0] ?? 'unset',
      message: text(status, 'message'),
    },
    flags: optionalNumber(span, 'flags') ?? 0,
    ...{ resource, scope },
  }
}

function pointOf(point: Message): ReceivedPoint {
  return {
    attributes: attributesOf(point),
    startTimeUnixNano: time(point, 'startTimeUnixNano'),
    timeUnixNano: time(point, 'timeUnixNano'),
    value: optionalNumber(point, 'asDouble') ?? optionalNumber(point, 'asInt'),
    count: optionalNumber(point, 'count'),
    sum: optionalNumber(point, 'sum'),
    bucketCounts: ((point.bucketCounts as readonly bigint[] | undefined) ?? []).map(Number),
    bounds: (point.explicitBounds as readonly number[] | undefined) ?? [],
  }
}

function metricOf(metric: Message, resource: Attributes, scope: string): ReceivedMetric {
  const type = (['histogram', 'sum'] as const).find((name) => metric[name] !== undefined) ?? 'gauge'
  const data = inner(metric, type)
  return {
    name: text(metric, 'name'),
    description: text(metric, 'description'),
    unit: text(metric, 'unit'),
    type,
    temporality: temporalities[optionalNumber(data, 'temporality') ?? 0] ?? 'unspecified',
    isMonotonic: data.isMonotonic === true,
    points: messages(data, 'dataPoints').map(pointOf),
    ...{ resource, scope },
  }
}

/** The spans of an `ExportTraceServiceRequest`; throws a `RangeError` on what is no protobuf. */
export function decodeSpans(body: Buffer): readonly ReceivedSpan[] {
  return messages(decode(body, traceRequest), 'resourceSpans').flatMap((group) => {
    const resource = attributesOf(inner(group, 'resource'))
    return messages(group, 'scopeSpans').flatMap((scoped) => {
      const scope = text(inner(scoped, 'scope'), 'name')
      return messages(scoped, 'spans').map((span) => spanOf(span, resource, scope))
    })
  })
}

/** The metrics of an `ExportMetricsServiceRequest`; throws a `RangeError` on what is no protobuf. */
export function decodeMetrics(body: Buffer): readonly ReceivedMetric[] {
  return messages(decode(body, metricsRequest), 'resourceMetrics').flatMap((group) => {
    const resource = attributesOf(inner(group, 'resource'))
    return messages(group, 'scopeMetrics').flatMap((scoped) => {
      const scope = text(inner(scoped, 'scope'), 'name')
      return messages(scoped, 'metrics').map((metric) => metricOf(metric, resource, scope))
    })
  })
}
