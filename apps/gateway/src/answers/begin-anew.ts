import type { RecordingFault } from '@tidegate/events'
import { GatewayError, type GatewayErrorCode } from '../problems.ts'

/**
 * The call that was to answer came to nothing, for a reason that isn't this client's, and the client has had
 * nothing of it: another call may do better. Told to a client it is the error that the call met.
 */
export class BeginAnew extends GatewayError {
  readonly original: Error

  constructor(original: Error) {
    const code = 'code' in original ? String(original.code) : 'answer_lost'
    super(code as GatewayErrorCode, original.message, { cause: original })
    this.original = original
  }
}

/** Why there is no answer although the upstream has said nothing against one. */
export function gone(code: RecordingFault['code']): GatewayError {
  return code === 'closed'
    ? new GatewayError('gateway_draining', 'This gateway is shutting down.')
    : new GatewayError('answer_lost', 'The call that was to answer this request has been given up.')
}
