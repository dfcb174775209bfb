import { tokenBucket } from '@tidegate/rate-limit'

/** What each limit promises; small windows, so that a short run sees many of them. Leases last as the rules say. */
export const limits = {
  exact: { limit: 150, windowMs: 1_000, burst: 60, overshoot: 0 },
  leased: { limit: 300, windowMs: 1_000, burst: 400, overshoot: 0, leaseMs: 334 },
  loose: { limit: 300, windowMs: 1_000, burst: 400, overshoot: 40, leaseMs: 67 },
} as const

export type LimitName = keyof typeof limits

export const limitNames = Object.keys(limits) as readonly LimitName[]

/** The same as rules of a limiter. */
export const rules = {
  exact: tokenBucket(limits.exact),
  leased: tokenBucket({ ...limits.leased, precision: 'leased' }),
  loose: tokenBucket({ ...limits.loose, precision: { maxOvershoot: 0.1 } }),
}

/** One admission, as a replica wrote it down before it did anything else. */
export interface Entry {
  readonly limit: LimitName
  readonly source: string
  readonly nodes: number
  readonly askedAt: number
  readonly answeredAt: number
  readonly cost: number
}

export function writeEntry({ limit, source, nodes, askedAt, answeredAt, cost }: Entry): string {
  return `${limit} ${source} ${nodes} ${askedAt} ${answeredAt} ${cost}\n`
}

/** The entries of a replica's file; of a line that a kill cut off, nothing was admitted. */
export function readEntries(text: string): Entry[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return lines.filter(Boolean).map((line) => {
    const [limit, source = '', nodes, askedAt, answeredAt, cost] = line.split(' ')
    const name = limitNames.find((each) => each === limit)
    if (name === undefined) throw new Error(`Not an entry: ${line}`)
    const [n, asked, answered, amount] = [nodes, askedAt, answeredAt, cost].map(Number)
    return {
      limit: name,
      source,
      nodes: n ?? 1,
      askedAt: asked ?? 0,
      answeredAt: answered ?? 0,
      cost: amount ?? 0,
    }
  })
}
