import type { Recording } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { GatewayEnv } from '../env.ts'

/**
 * Whether a kept answer is better than what comes of a call: the upstream could not be reached, or says that it
 * fails or has no time (RFC 5861 §4). Resolves with the first that is heard of the answer; the call goes on
 * for whoever reads it. `client`: with its leaving the wait is over. Absent: its answer is wanted in any case.
 */
export function orSpare(
  recording: Recording<AnswerHead>,
  client: GatewayEnv['Bindings']['outgoing'] | undefined,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  if (recording.head !== undefined) return Promise.resolve(isFailing(recording.head))
  if (!recording.joinable) return Promise.resolve(recording.state === 'failed')
  const heard = (isBetter: boolean): void => {
    client?.off('close', left)
    resolve(isBetter)
    // Whoever serves it takes its place first: the last to leave ends the call.
    setImmediate(() => following.leave())
  }
  const left = (): void => heard(false)
  const following = recording.follow({
    onHead: ({ status }) => heard(isFailing({ status })),
    onData: () => false,
    onEnd: () => heard(false),
    onFail: () => heard(true),
  })
  if (client?.destroyed) left()
  else client?.once('close', left)
  return promise
}

function isFailing({ status }: Pick<AnswerHead, 'status'>): boolean {
  return status >= 500 || status === 429 || status === 408
}
