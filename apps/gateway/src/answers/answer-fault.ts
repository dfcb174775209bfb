import { isServerError } from '@tidegate/server'
import { GatewayError, type GatewayErrorCode } from '../problems.ts'
import type { BreakCode } from '../upstreams/stream-error.ts'

/** An answer that had begun and can't be completed. */
export interface BrokenAnswer {
  readonly kind: 'broken'
  readonly code: BreakCode
  /** Who broke it; `undefined` where nobody had answered. */
  readonly upstream: string | undefined
  /** Whether an event can be put after what has come. */
  readonly tellable: boolean
  /** Whole events that have come. */
  readonly events: number
}

/** The upstream has told in its answer that it failed: all is said, and there is nothing to keep. */
interface ToldFailure {
  readonly kind: 'told'
}

/** No answer has begun: the error that one client alone would have got. Its JSON says the same elsewhere. */
export class RefusedAnswer {
  readonly kind = 'refused'
  readonly error: Error
  /** What else a client is told of it. Flat. */
  readonly headers: readonly string[]

  constructor(error: Error, headers: readonly string[]) {
    this.error = error
    this.headers = headers
  }

  get code(): string {
    return isServerError(this.error) ? this.error.code : 'internal_error'
  }

  /** The same error for another client, without what only operators read, and once is enough. */
  forOther(): Error {
    const { error } = this
    if (!isServerError(error)) return new Error('The call that was to answer this request failed.')
    const { message, facts, param } = error
    return new GatewayError(error.code as GatewayErrorCode, message, {
      facts,
      ...(param !== undefined && { param }),
    })
  }

  toJSON(): object {
    const { kind, code, headers } = this
    const { message, facts, param } = isServerError(this.error)
      ? this.error
      : { message: '', facts: {}, param: undefined }
    return { kind, code, message, facts, param, headers }
  }
}

/** Why a recorded answer has no good end, as its recorder has said it. */
export type AnswerFault = RefusedAnswer | BrokenAnswer | ToldFailure

/** The same in any process: what a recorder elsewhere gave has come as JSON. */
export function answerFaultOf(cause: unknown): AnswerFault | undefined {
  if (cause instanceof RefusedAnswer) return cause
  if (typeof cause !== 'object' || cause === null || !('kind' in cause)) return undefined
  switch (cause.kind) {
    case 'told':
    case 'broken':
      return cause as BrokenAnswer | ToldFailure
    case 'refused':
      return revived(cause as { kind: 'refused' } & RefusalJson)
    default:
      return undefined
  }
}

interface RefusalJson {
  readonly code: GatewayErrorCode | 'internal_error'
  readonly message: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly param?: string
  readonly headers: readonly string[]
}

function revived({ code, message, facts, param, headers }: RefusalJson): RefusedAnswer {
  if (code === 'internal_error') return new RefusedAnswer(new Error(message), headers)
  const options = { facts, ...(param !== undefined && { param }) }
  return new RefusedAnswer(new GatewayError(code, message, options), headers)
}
