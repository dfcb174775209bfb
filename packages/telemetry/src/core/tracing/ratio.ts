/**
 * Whether a trace is recorded, told from its id alone, so that every service that samples by the same
 * ratio decides alike: the computation is that of OpenTelemetry's `TraceIdRatioBased` sampler for Node.
 *
 * @param ratio 0 (none) to 1 (all)
 */
export function ratioSampler(ratio: number): (traceId: string) => boolean {
  if (ratio >= 1) return () => true
  if (!(ratio > 0)) return () => false
  const bound = Math.floor(ratio * 0xffff_ffff)
  return (traceId) => fold(traceId) < bound
}

/** The four 32-bit words of an id, by exclusive or: the same as of its digits, each in its place. */
function fold(traceId: string): number {
  let folded = 0
  for (let at = 0; at < 8; at += 1) {
    const digit =
      digitAt(traceId, at) ^
      digitAt(traceId, at + 8) ^
      digitAt(traceId, at + 16) ^
      digitAt(traceId, at + 24)
    folded = (folded << 4) | digit
  }
  return folded >>> 0
}

function digitAt(traceId: string, index: number): number {
  const code = traceId.charCodeAt(index)
  return code < 58 ? code - 48 : code - 87
}
