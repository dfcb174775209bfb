import type { Following, Recorder, Recording } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'

/**
 * Records again what another recording has: as it comes, at the pace of those who read the new one, and to the
 * end even when nobody reads it any more.
 */
export function passOn(from: Recording<AnswerHead>, to: Recorder<AnswerHead>): void {
  let following: Following | undefined
  to.listen({
    onDrain: () => following?.resume(),
    onAbandoned: () => following?.leave(),
  })
  following = from.follow({
    onHead: (head) => to.head(head),
    onData: (chunk) => to.push(chunk),
    onEnd: () => to.end(),
    onFail: (fault) => to.fail(fault.cause),
  })
}
