import type { Handler } from 'hono'
import type { Outbound } from './answers/outbound.ts'
import type { SharedAnswers } from './cache/open.ts'
import { answerStage } from './cache/stage.ts'
import type { GatewayEnv } from './env.ts'
import { idempotent } from './idempotency/stage.ts'

/**
 * The end of a route whose answers others may have, too: what a key was promised comes first, then what is
 * kept, then what is under way. `end` carries on whatever needs a call of its own; a route with nothing of all
 * this has it as it is.
 */
export function answered(
  outbound: Outbound,
  shared: SharedAnswers | undefined,
  end: Handler<GatewayEnv>,
): Handler<GatewayEnv> {
  const { match, idempotency } = outbound.route
  const counts = shared?.counts.get(match)
  if (shared === undefined) return end
  const stage = counts && answerStage({ ...shared, outbound, counts })
  if (stage === undefined) shared.warmer?.add(match, undefined)
  const inner = stage === undefined ? end : stage.handler(end)
  if (idempotency === undefined || shared.keyed === undefined) return inner
  const parts = { outbound, window: idempotency, answers: shared.keyed }
  return idempotent({ ...parts, ...(stage && { inner: stage.find }) }, inner)
}
