/** The largest Integer of a structured field (RFC 9651, 3.3.1). */
const MAX_INTEGER = 999_999_999_999_999

const NEEDS_CARE = /[^ !#-[\]-~]/

/** A String of a structured field (RFC 9651, 4.1.6); characters that it can't hold become `?`. */
export function structuredString(text: string): string {
  if (!NEEDS_CARE.test(text)) return `"${text}"`
  return `"${text.replaceAll(/[^ -~]/gu, '?').replaceAll(/["\\]/g, '\\$&')}"`
}

/** An Integer of a structured field: whole, from 0, and cut at the largest. */
export function structuredInteger(value: number): string {
  return `${Math.min(MAX_INTEGER, Math.max(0, Math.trunc(value)))}`
}
