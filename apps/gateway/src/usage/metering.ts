import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import { type BodyLimits, bodyLength, wholeBody } from '../handlers/body.ts'
import { tokenEndpoint } from './endpoints.ts'
import { type TokenRequest, tokenRequest } from './estimate.ts'
import type { TokenReservation } from './reservation.ts'
import { TokenMeter } from './token-meter.ts'

/**
 * Reads the request's body, unless a stage before has, and estimates the tokens that it will use.
 * `undefined` where none are counted: on `protocol: http`, for a handshake, and for calls that providers
 * charge no tokens for. Nothing of it is done for callers without a token limit.
 *
 * @throws ServerError when the body is too large or comes too slowly.
 */
export async function readTokenRequest(
  c: Context<GatewayEnv>,
  limits: BodyLimits,
): Promise<TokenRequest | undefined> {
  const { incoming } = c.env
  const protocol = c.get('protocol')
  if (protocol === undefined || protocol === 'http') return undefined
  if (incoming.upgraded !== undefined || !incoming.target.ok) return undefined
  const endpoint = tokenEndpoint(c.get('exchange').method, incoming.target.path)
  if (endpoint === undefined || bodyLength(incoming) === 0) return undefined
  return tokenRequest(endpoint, await wholeBody(c, limits), incoming.headers['content-type'])
}

/**
 * Meters the request from here on, and tells `reservation` once, at the real end of the exchange and
 * whatever that end is, what was used: where its call answers others as well, when that is over. To be
 * called as soon as the tokens are held.
 */
export function meterTokens(
  c: Context<GatewayEnv>,
  request: TokenRequest,
  reservation: TokenReservation,
): void {
  const { outgoing } = c.env
  const meter = new TokenMeter(request)
  c.set('tokens', meter)
  const settle = (): void => {
    const used = meter.usage
    if (used === undefined) reservation.refund()
    else reservation.settle(used.total)
  }
  const ended = (): void => {
    if (meter.until === undefined) settle()
    else void meter.until.then(settle)
  }
  // The client may have left while its limits were asked: then nothing more is heard.
  if (outgoing.closed) ended()
  else outgoing.once('close', ended)
}
