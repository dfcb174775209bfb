import { decodeRecording, encodeRecording, type Recording, replay } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { TokenUsage } from '../usage/reservation.ts'
import type { KeepTerms } from './storable.ts'
import { ageMsOf } from './storable.ts'

/** The head of an answer that is kept, with all that is to be known of it later. */
interface KeptHead extends AnswerHead {
  readonly terms: KeepTerms
  readonly usage: TokenUsage | undefined
}

/** An answer out of the cache. */
export interface KeptAnswer {
  readonly recording: Recording<AnswerHead>
  readonly terms: KeepTerms
  /** What it used when it was made. */
  readonly usage: TokenUsage | undefined
  /** When it was complete, by the clock of the gateway that fetched it. */
  readonly completedAt: number
  /** How old it was by then, in milliseconds. */
  readonly initialAgeMs: number
  readonly bytes: number
}

/** Those that speak of the one call that was made, or of the one who made it. */
const PASSING =
  /^(?:set-cookie2?|.*rate-?limit.*|retry-after(?:-ms)?|(?:.*-)?request-?id|cf-ray|openai-processing-ms|server-timing|authentication-info)$/

/** A complete answer as bytes. `undefined` if it isn't complete, or wasn't kept whole. */
export function encodeAnswer(
  recording: Recording<AnswerHead>,
  terms: KeepTerms,
  usage: TokenUsage | undefined,
): Uint8Array | undefined {
  const { head } = recording
  if (head === undefined) return undefined
  const kept: KeptHead = { ...head, headers: lasting(head.headers), terms, usage }
  const { begunAt, endedAt } = recording
  return encodeRecording<KeptHead>({
    ...{ head: kept, begunAt, endedAt },
    whole: () => recording.whole(),
  })
}

function lasting(headers: readonly string[]): readonly string[] {
  const out: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!PASSING.test(name)) out.push(name, headers[i + 1] ?? '')
  }
  return out
}

/** Those in memory are read once: the cache gives the same bytes every time. */
const decoded = new WeakMap<Uint8Array, KeptAnswer>()

/** Reads what {@link encodeAnswer} made; `undefined` of anything else. */
export function decodeAnswer(encoded: Uint8Array): KeptAnswer | undefined {
  const known = decoded.get(encoded)
  if (known !== undefined) return known
  const found = decodeRecording<KeptHead>(encoded)
  const recording = found && replay<AnswerHead>(encoded)
  if (found === undefined || recording === undefined) return undefined
  const { head, body, endedAt } = found
  if (typeof head !== 'object' || head.terms === undefined) return undefined
  const initialAgeMs = ageMsOf(head)
  const answer: KeptAnswer = {
    ...{ recording, terms: head.terms, usage: head.usage, bytes: body.length },
    completedAt: endedAt,
    initialAgeMs,
  }
  decoded.set(encoded, answer)
  return answer
}
