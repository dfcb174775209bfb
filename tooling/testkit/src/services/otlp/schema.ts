import type { Schema } from './wire.ts'

// opentelemetry-proto 1.x: common, resource, trace and metrics; what no test has asked for is left out.

const keyValue: Schema = { 1: ['key', 'string'], 2: ['value', () => anyValue] }
const arrayValue: Schema = { 1: ['values', [() => anyValue]] }
const keyValueList: Schema = { 1: ['values', [() => keyValue]] }
const anyValue: Schema = {
  1: ['stringValue', 'string'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'int64'],
  4: ['doubleValue', 'double'],
  5: ['arrayValue', () => arrayValue],
  6: ['kvlistValue', () => keyValueList],
  7: ['bytesValue', 'bytes'],
}
const resource: Schema = { 1: ['attributes', [() => keyValue]] }
const scope: Schema = { 1: ['name', 'string'], 2: ['version', 'string'] }

const event: Schema = {
  1: ['timeUnixNano', 'fixed64'],
  2: ['name', 'string'],
  3: ['attributes', [() => keyValue]],
}
const link: Schema = {
  1: ['traceId', 'bytes'],
  2: ['spanId', 'bytes'],
  3: ['traceState', 'string'],
  4: ['attributes', [() => keyValue]],
}
const status: Schema = { 2: ['message', 'string'], 3: ['code', 'uint'] }
const span: Schema = {
  1: ['traceId', 'bytes'],
  2: ['spanId', 'bytes'],
  3: ['traceState', 'string'],
  4: ['parentSpanId', 'bytes'],
  5: ['name', 'string'],
  6: ['kind', 'uint'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: ['attributes', [() => keyValue]],
  11: ['events', [() => event]],
  13: ['links', [() => link]],
  15: ['status', () => status],
  16: ['flags', 'fixed32'],
}
const scopeSpans: Schema = { 1: ['scope', () => scope], 2: ['spans', [() => span]] }
const resourceSpans: Schema = {
  1: ['resource', () => resource],
  2: ['scopeSpans', [() => scopeSpans]],
}

/** `ExportTraceServiceRequest`. */
export const traceRequest: Schema = { 1: ['resourceSpans', [() => resourceSpans]] }

const numberPoint: Schema = {
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['asDouble', 'double'],
  6: ['asInt', 'sfixed64'],
  7: ['attributes', [() => keyValue]],
}
const histogramPoint: Schema = {
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['count', 'fixed64'],
  5: ['sum', 'double'],
  6: ['bucketCounts', ['fixed64']],
  7: ['explicitBounds', ['double']],
  9: ['attributes', [() => keyValue]],
  11: ['min', 'double'],
  12: ['max', 'double'],
}
const gauge: Schema = { 1: ['dataPoints', [() => numberPoint]] }
const sum: Schema = {
  1: ['dataPoints', [() => numberPoint]],
  2: ['temporality', 'uint'],
  3: ['isMonotonic', 'bool'],
}
const histogram: Schema = {
  1: ['dataPoints', [() => histogramPoint]],
  2: ['temporality', 'uint'],
}
const metric: Schema = {
  1: ['name', 'string'],
  2: ['description', 'string'],
  3: ['unit', 'string'],
  5: ['gauge', () => gauge],
  7: ['sum', () => sum],
  9: ['histogram', () => histogram],
}
const scopeMetrics: Schema = { 1: ['scope', () => scope], 2: ['metrics', [() => metric]] }
const resourceMetrics: Schema = {
  1: ['resource', () => resource],
  2: ['scopeMetrics', [() => scopeMetrics]],
}

/** `ExportMetricsServiceRequest`. */
export const metricsRequest: Schema = { 1: ['resourceMetrics', [() => resourceMetrics]] }
