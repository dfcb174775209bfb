/** Nanoseconds of processor time per call, until about `ms` milliseconds of it are used. */
export function nanosPerCall(call: (index: number) => unknown, ms: number, batch: number): number {
  const before = process.cpuUsage()
  for (let count = batch; ; count += batch) {
    for (let i = 0; i < batch; i++) call(count + i)
    const { user, system } = process.cpuUsage(before)
    if (user + system >= ms * 1000) return ((user + system) * 1000) / count
  }
}

/** Everybody's measurements, round by round, after one to warm up; each round begins with another one. */
export async function interleaved<C>(
  all: readonly C[],
  rounds: number,
  measure: (contender: C) => number | Promise<number>,
): Promise<ReadonlyMap<C, readonly number[]>> {
  const rows = new Map(all.map((contender) => [contender, [] as number[]]))
  for (const contender of all) await measure(contender)
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < all.length; i++) {
      const contender = all[(i + round) % all.length] as C
      rows.get(contender)?.push(await measure(contender))
    }
  }
  return rows
}
