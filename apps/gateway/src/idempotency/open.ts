import { createRecordings, type Recordings } from '@tidegate/events'
import type { AnswerHead } from '../answers/answer-head.ts'

/** How many requests are remembered by one process: a key outlives its answer by far. */
const MOST_REMEMBERED = 100_000

/** Where the answers to requests with a key are kept. */
export function openIdempotency(): Recordings<AnswerHead> {
  return createRecordings<AnswerHead>({ maxRecordings: MOST_REMEMBERED })
}
