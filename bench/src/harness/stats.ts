export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** The value below which `p` percent of the values lie (nearest rank); NaN of none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort()
  if (p === 50 && sorted.length > 0 && sorted.length % 2 === 0) {
    const upper = sorted.length / 2
    return ((sorted[upper - 1] ?? Number.NaN) + (sorted[upper] ?? Number.NaN)) / 2
  }
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN
}
