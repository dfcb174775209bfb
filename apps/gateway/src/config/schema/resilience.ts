import { field } from '@tidegate/config'
import { byteSize, choice, duration, integer, offOr, percent } from '@tidegate/config/fields'
import { z } from 'zod'
import { MAX_ATTEMPTS } from '../settings.ts'
import { LONGEST_MS } from './server.ts'

/** The first wait between tries where nothing else is said. */
export const INITIAL_WAIT_MS = 200

/** How many extra tries a request may be given. */
export const RETRIES = { min: 0, max: MAX_ATTEMPTS - 1 }

/** After how many failures in a row a breaker may open. */
export const FAILURES = { min: 1, max: 10_000 }

/** How many attempts may be under way at a time. */
export const UNDER_WAY = { min: 1, max: 1_000_000 }

const retry = z.strictObject({
  retries: field(integer(RETRIES).default(2), {
    description: `Extra tries of a request on this upstream. A request makes at most ${MAX_ATTEMPTS} attempts on all its upstreams.`,
  }),
  initial: field(duration({ min: 1, max: LONGEST_MS }).default(INITIAL_WAIT_MS), {
    description:
      'The longest first wait; it doubles from try to try, and the wait is random below it.',
  }),
  max: field(duration({ min: 1, max: LONGEST_MS }).default(5000), {
    description:
      'The longest wait. A `Retry-After` up to this is waited for, a longer one goes to the next upstream.',
  }),
  bodyLimit: field(byteSize().default(1024 * 1024), {
    description:
      'The largest request body that is kept for another try; a larger one is sent once.',
  }),
  budget: field(percent().default(0.2), {
    description: 'What extra tries may add to the calls of the last ten seconds …',
  }),
  budgetFloor: field(integer({ min: 0, max: 1_000_000 }).default(10), {
    description: '… and how many in a second are always allowed.',
  }),
})

/** What stands where retrying is on and nothing else is said. */
export const retryDefaults = retry.parse({})

const breaker = z.strictObject({
  failures: field(integer(FAILURES).default(5), {
    description: 'Failures in a row that open the breaker of an endpoint.',
  }),
  openFor: field(duration({ min: 1, max: LONGEST_MS }).default(30_000), {
    description: 'How long it gets no request then, until one probes it.',
  }),
})

const concurrency = z.strictObject({
  max: field(integer(UNDER_WAY).default(1024), {
    description: 'The most attempts under way at a time. A stream counts until it has ended.',
  }),
  queue: field(integer({ min: 0, max: 1_000_000 }).default(1024), {
    description: 'How many wait in order for a place; one more is answered with 503 at once.',
  }),
})

const hedge = z.strictObject({
  after: field(offOr(z.union([choice(['p95']), duration({ min: 1, max: LONGEST_MS })])), {
    description:
      'How long an answer may take to begin until another endpoint is asked as well; `p95` is the time that 95 % of the latest answers took.',
    example: 'p95',
  }),
  budget: field(percent().default(0.05), { description: 'The share of calls that may be hedged.' }),
})

/** What happens when an upstream fails, is slow or is busy. */
export const resilienceShape = {
  retry: field(offOr(retry).prefault({}), {
    description: 'Whether a failed attempt is repeated, as long as nothing has reached the client.',
  }),
  breaker: field(offOr(breaker).prefault({}), {
    description: 'Whether an endpoint that keeps failing is left alone for a while.',
  }),
  concurrency: field(offOr(concurrency).prefault({}), {
    description: 'How much is under way at a time; `off` for no limit.',
  }),
  hedge: field(offOr(hedge).prefault('off'), {
    description: 'Whether a second endpoint is asked when the first one is slow.',
  }),
}
