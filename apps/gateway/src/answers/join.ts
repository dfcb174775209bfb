import type { Claim, ClaimOptions, Recordings } from '@tidegate/events'
import type { Context } from 'hono'
import type { GatewayEnv } from '../env.ts'
import type { AnswerHead } from './answer-head.ts'
import type { Outbound } from './outbound.ts'
import { recordAnswer } from './record.ts'
import type { Answered } from './serve.ts'

/**
 * The answer to a request that others may have asked as well: the first to ask under a name makes the call,
 * and whoever asks while it is under way has its answer, from the beginning.
 */
export function joinAnswer(
  c: Context<GatewayEnv>,
  outbound: Outbound,
  body: Buffer | null,
  recordings: Recordings<AnswerHead>,
  name: string,
  options?: ClaimOptions,
): Answered | Promise<Answered> {
  const claimed = (claim: Claim<AnswerHead>): Answered => {
    if (claim.role === 'reader') {
      return { recording: claim.recording, how: { cache: 'coalesced' } }
    }
    if (claim.role !== 'recorder') {
      throw new Error(`A request can't join the answer of its name: ${claim.role}.`)
    }
    const { recorder } = claim
    void recordAnswer(c, outbound, body, recorder)
    return { recording: recorder.recording, how: { cache: 'miss' } }
  }
  const claim = recordings.claim(name, options)
  return claim instanceof Promise ? claim.then(claimed) : claimed(claim)
}
