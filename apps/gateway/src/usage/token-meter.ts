import type { Endpoint } from '../upstreams/endpoint.ts'
import { AnswerTokens } from './answer-tokens.ts'
import { type TokenRequest, tokensOf } from './estimate.ts'
import type { TokenUsage } from './reservation.ts'
import { UsageQuestion } from './usage-question.ts'
import type { ReportedUsage } from './usage-scanner.ts'

/** What a whole answer of JSON has beside the words, and what a long token may be too much, in tokens. */
const AROUND_WORDS = 256

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
  /** What is charged in place of what is counted here, once that is known. */
  #share: { usage: TokenUsage | undefined } | undefined
  #until: Promise<unknown> | undefined

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

  /**
   * When it is known what was used, where that isn't at the end of the response: the call may go on for
   * others. Never rejects.
   */
  get until(): Promise<unknown> | undefined {
    return this.#until
  }

  /** Settles when `call`, which never rejects, is over, however soon the client has left. */
  settleAfter(call: Promise<unknown>): void {
    this.#until = call
  }

  /** Another request's call answers this one, which pays a share (0 to 1) of what that has used. */
  chargeShare(share: number, usage: TokenUsage | undefined): void {
    this.#share = { usage: share === 0 || usage === undefined ? undefined : part(usage, share) }
  }

  /** The same, when it is known. Where it never will be, the share is one of this request's estimate. */
  chargeShareLater(share: number, usage: Promise<TokenUsage | undefined> | undefined): void {
    const { input, output } = this.request.estimate
    this.chargeShare(share, { input, output, total: input + output, estimated: true })
    this.#until = usage?.then((known) => this.chargeShare(share, known))
  }

  /** What was used so far; `undefined`: nothing. */
  get usage(): TokenUsage | undefined {
    if (this.#share !== undefined) return this.#share.usage
    const answer = this.#answerUsage()
    if (answer === undefined && this.#failed.length === 0) return undefined
    return this.#failed.map(asUsage).reduce(sum, answer ?? NONE)
  }

  #answerUsage(): TokenUsage | undefined {
    const answer = this.#answer
    const { input } = this.request.estimate
    const reported = answer?.reported
    // Of what is made in the background the first answer knows nothing yet.
    const isFirst = this.request.background && answer?.isStream !== true
    if (answer?.complete && reported !== undefined && !isFirst) {
      return this.#settled(reported, answer)
    }
    const hasCome = reported !== undefined || answer?.complete === true || (answer?.bytes ?? 0) > 0
    if (!hasCome && !this.#abandoned) return undefined
    const output = Math.max(reported?.output ?? 0, this.#outputOf(answer))
    // Only Anthropic's streams say at their beginning what went in.
    const isTold = answer?.isStream === true && this.request.endpoint === 'messages'
    const told = reported?.input ?? 0
    const most = isTold && told > 0 ? told : Math.max(told, input)
    return { input: most, output, total: most + output, estimated: true }
  }

  #settled({ input, output, total }: ReportedUsage, answer: AnswerTokens): TokenUsage {
    const known = input ?? this.request.estimate.input
    const isMadeKnown = output !== undefined || total > known
    const made = isMadeKnown ? (output ?? total - known) : this.#outputOf(answer)
    const estimated = input === undefined || (!isMadeKnown && made > 0)
    return { input: known, output: made, total: Math.max(total, known + made), estimated }
  }

  /**
   * The model's words at four bytes to a token; no more than the request allows, unless so much has come
   * that the provider doesn't go by that. What is made in the background counts as it was held.
   */
  #outputOf(answer: AnswerTokens | undefined): number {
    const { endpoint, background, estimate } = this.request
    if (answer === undefined || endpoint === 'input') return 0
    const { output, limited } = estimate
    const words = tokensOf(answer.bytes)
    const isOff = words > 4 * output + AROUND_WORDS
    const made = limited && !isOff ? Math.min(words, output) : words
    return background ? Math.max(output, answer.isStream ? made : 0) : made
  }
}

function asUsage({ input = 0, output = 0, total }: ReportedUsage): TokenUsage {
  return { input, output, total, estimated: false }
}

/** Whole tokens, and the sum of them: nobody is charged for a part of one. */
function part({ input, output, total, estimated }: TokenUsage, share: number): TokenUsage {
  return {
    input: Math.floor(input * share),
    output: Math.floor(output * share),
    total: Math.floor(total * share),
    estimated,
  }
}

function sum(one: TokenUsage, other: TokenUsage): TokenUsage {
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    total: one.total + other.total,
    estimated: one.estimated || other.estimated,
  }
}
