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
  return (traceId) => {
    let folded = 0
    for (let at = 0; at < 32; at += 8) {
      folded ^= Number.parseInt(traceId.slice(at, at + 8), 16)
    }
    return folded >>> 0 < bound
  }
}
