/** One hop's share of a request's time. */
export interface Timing {
  /** The hop's name in `Server-Timing`: an HTTP token, such as `upstream`. */
  readonly name: string
  /** Milliseconds. */
  readonly ms: number
}

/** The part of an exchange that its timing headers are made from. */
export interface Timed {
  readonly service: string
  readonly startedAt: number
  readonly timings: readonly Timing[]
  /** What the client took to send its body, in milliseconds. */
  readonly clientMs?: number
  /** Is set: the share of this server alone, in milliseconds. */
  ownMs?: number | undefined
}

const HUNDREDTHS = Array.from({ length: 100 }, (_, index) => `.${String(index).padStart(2, '0')}`)

/** Milliseconds with two decimals. Far cheaper than `toFixed`, and asked for on every request. */
export function formatMs(ms: number): string {
  const hundredths = Math.max(0, Math.round(ms * 100))
  const rest = hundredths % 100
  return `${(hundredths - rest) / 100}${HUNDREDTHS[rest] ?? ''}`
}

/**
 * The headers that tell how long the request took so far, as a flat list: `server-timing` with this
 * server's own share first (all the time that no hop accounts for) and then each hop's, and
 * `x-response-time` with all of it.
 *
 * @param now A reading of the same clock as `startedAt` (`performance.now()`).
 */
export function timingHeaders(exchange: Timed, now: number): [string, string, string, string] {
  const { timings } = exchange
  const total = now - exchange.startedAt
  let own = total
  let hops = ''
  for (let i = 0; i < timings.length; i++) {
    const timing = timings[i]
    if (timing === undefined) continue
    own -= timing.ms
    hops += `, ${timing.name};dur=${formatMs(timing.ms)}`
  }
  exchange.ownMs = Math.max(0, own - (exchange.clientMs ?? 0))
  const serverTiming = `${exchange.service};dur=${formatMs(own)}${hops}`
  return ['server-timing', serverTiming, 'x-response-time', `${formatMs(total)}ms`]
}
