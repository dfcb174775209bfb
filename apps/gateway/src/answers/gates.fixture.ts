import type { Gate } from '../gates.ts'
import { meterTokens, readTokenRequest } from '../usage/metering.ts'

/** Gives a request the milliseconds that it names itself. */
export const timed: Gate = (c) => {
  const given = c.env.incoming.headers['x-test-time']
  const exchange = c.get('exchange')
  if (given !== undefined) exchange.deadlineAt = exchange.startedAt + Number(given)
}

/** What each request was charged in the end, by its id. */
export type Settled = Map<string, number | 'refund'>

/** Meters every request, and tells `settled` what it was charged. */
export function metered(settled: Settled): Gate {
  return async (c) => {
    const request = await readTokenRequest(c, { limit: 1e6, idle: 1e4 })
    const { requestId } = c.get('exchange')
    if (request === undefined) return
    meterTokens(c, request, {
      amount: request.estimate.input,
      settle: (actual) => void settled.set(requestId, actual),
      refund: () => void settled.set(requestId, 'refund'),
    })
  }
}
