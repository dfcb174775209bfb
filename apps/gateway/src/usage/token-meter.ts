import type { Endpoint } from '../upstreams/endpoint.ts'
import { AnswerTokens } from './answer-tokens.ts'
import { type TokenRequest, tokensOf } from './estimate.ts'
import type { TokenUsage } from './reservation.ts'
import { UsageQuestion } from './usage-question.ts'
import type { ReportedUsage } from './usage-scanner.ts'

const NONE: TokenUsage = { input: 0, output: 0, total: 0, estimated: false }

/**
 * Counts the tokens of one request over all its attempts.
 *
 * What an upstream reports counts, whatever became of the attempt. Of the answer that the client got, or
 * would have got had it stayed, what isn't reported is estimated; of an attempt that failed it is not:
 * nobody pays for a word that wasn't delivered because of the upstream.
 */
export class TokenMeter {
  readonly request: TokenRequest
  readonly question: UsageQuestion
  readonly #failed: ReportedUsage[] = []
  #answer: AnswerTokens | undefined
  #abandoned = false

  constructor(request: TokenRequest) {
    this.request = request
    this.question = new UsageQuestion(request.usageUnasked)
  }

  /** A good answer begins, instead of any before it. */
  begin(endpoint: Endpoint, isStream: boolean): AnswerTokens {
    this.takeBack()
    this.question.answered(endpoint)
    const asked = this.question.isAsked(endpoint)
    this.#answer = new AnswerTokens(this.request.endpoint, isStream, asked)
    return this.#answer
  }

  /** The answer that had begun is given up for another. */
  takeBack(): void {
    const reported = this.#answer?.reported
    if (reported !== undefined) this.#failed.push(reported)
    this.#answer = undefined
  }

  /** The client has left while an upstream was at work on the request. */
  abandon(): void {
    this.#abandoned = true
  }

  /** What was used so far; `undefined`: nothing. */
  get usage(): TokenUsage | undefined {
    const answer = this.#answerUsage()
    if (answer === undefined && this.#failed.length === 0) return undefined
    return this.#failed.map(asUsage).reduce(sum, answer ?? NONE)
  }

  #answerUsage(): TokenUsage | undefined {
    const answer = this.#answer
    const { input } = this.request.estimate
    const reported = answer?.reported
    if (answer?.complete && reported !== undefined) return this.#settled(reported)
    const hasCome = reported !== undefined || answer?.complete === true || (answer?.bytes ?? 0) > 0
    if (!hasCome && !this.#abandoned) return undefined
    const output = Math.max(reported?.output ?? 0, this.#outputOf(answer))
    // Only Anthropic's streams say at their beginning what went in.
    const isKnown = answer?.isStream === true && this.request.endpoint === 'messages'
    const most = isKnown ? (reported?.input ?? input) : Math.max(reported?.input ?? 0, input)
    return { input: most, output, total: most + output, estimated: true }
  }

  #settled({ input, output, total }: ReportedUsage): TokenUsage {
    const known = input ?? this.request.estimate.input
    const made = output ?? Math.max(0, total - known)
    const estimated = input === undefined
    return { input: known, output: made, total: Math.max(total, known + made), estimated }
  }

  /** The model's words at four bytes to a token, never more than the request allows. */
  #outputOf(answer: AnswerTokens | undefined): number {
    if (answer === undefined || this.request.endpoint === 'input') return 0
    const { output, limited } = this.request.estimate
    return Math.min(tokensOf(answer.bytes), limited ? output : Number.POSITIVE_INFINITY)
  }
}

function asUsage({ input = 0, output = 0, total }: ReportedUsage): TokenUsage {
  return { input, output, total, estimated: false }
}

function sum(one: TokenUsage, other: TokenUsage): TokenUsage {
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    total: one.total + other.total,
    estimated: one.estimated || other.estimated,
  }
}
