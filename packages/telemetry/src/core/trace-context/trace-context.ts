import { withoutSpaces } from './optional-space.ts'
import { readTracestate } from './tracestate.ts'

/** Set in {@link TraceContext.flags} when the caller records the trace. */
export const SAMPLED = 0x01
/** Set when at least the last seven bytes of the trace id are random (Trace Context level 2). */
export const RANDOM = 0x02

/** Where in which trace a request comes from: W3C Trace Context. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string
  /** The span that made the request: 16 lower-case hexadecimal digits, not all zero. */
  readonly spanId: string
  /** {@link SAMPLED} and {@link RANDOM}; bits that no version we know defines are cleared. */
  readonly flags: number
  /** As it goes on to others; undefined where there was none, or none that is valid. */
  readonly tracestate: string | undefined
}

// Beyond 00-…-00 only versions that we don't know have more, after a dash.
const form = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
const noTrace = '0'.repeat(32)
const noSpan = '0'.repeat(16)
const maxLength = 512

/**
 * Reads the two headers by W3C Trace Context, level 1 and the flags of level 2. Of versions above `00`
 * the parts that this version has are read, as the specification asks.
 *
 * A traceparent that is missing, sent twice (joined by a comma, as HTTP does) or invalid gives undefined,
 * and its tracestate is not looked at: a trace begins anew. An invalid tracestate is dropped as a whole
 * while the trace goes on.
 */
export function readTraceContext(
  traceparent: string | undefined,
  tracestate?: string | undefined,
): TraceContext | undefined {
  if (traceparent === undefined || traceparent.length > maxLength) return undefined
  const parts = form.exec(withoutSpaces(traceparent))
  if (parts === null) return undefined
  const [, version, traceId, spanId, flags, more] = parts
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === undefined || traceId === noTrace) return undefined
  if (spanId === undefined || spanId === noSpan) return undefined
  return {
    traceId,
    spanId,
    flags: Number.parseInt(flags ?? '0', 16) & (SAMPLED | RANDOM),
    tracestate: tracestate === undefined ? undefined : readTracestate(tracestate),
  }
}

/** The header `traceparent` for what this span asks of others, in version `00`. */
export function writeTraceparent(context: Omit<TraceContext, 'tracestate'>): string {
  return `00-${context.traceId}-${context.spanId}-0${context.flags & (SAMPLED | RANDOM)}`
}
