import type { Recording } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'

/**
 * Whether a kept answer is better than what comes of a call: the upstream could not be reached, or says that it
 * fails or has no time (RFC 5861 §4). Resolves with the first that is heard of the answer; the call goes on
 * for whoever reads it.
 */
export function orSpare(recording: Recording<AnswerHead>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  if (recording.head !== undefined) return Promise.resolve(isFailing(recording.head))
  if (!recording.joinable) return Promise.resolve(recording.state === 'failed')
  const following = recording.follow({
    onHead: ({ status }) => {
      resolve(isFailing({ status }))
      // Whoever serves it takes its place first: the last to leave ends the call.
      setImmediate(() => following.leave())
    },
    onData: () => false,
    onEnd: () => resolve(false),
    onFail: () => resolve(true),
  })
  return promise
}

function isFailing({ status }: Pick<AnswerHead, 'status'>): boolean {
  return status >= 500 || status === 429 || status === 408
}
