import type { Problem } from '@tidegate/server'

/** What can be wrong with an `Idempotency-Key`. */
export type IdempotencyErrorCode =
  | 'invalid_idempotency_key'
  | 'idempotency_key_reused'
  | 'idempotent_answer_too_large'

/** Their rows of the table of problems. */
export const idempotencyProblems = {
  invalid_idempotency_key: {
    status: 400,
    title: 'Not an idempotency key',
    type: 'invalid_request_error',
    fault: 'client',
    remedy:
      'Send one Idempotency-Key of 1 to 255 visible ASCII characters, such as a UUID, or none.',
    retry: false,
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key is of another request',
    type: 'invalid_request_error',
    fault: 'client',
    remedy:
      'Send the request as it was the first time, or give this one an Idempotency-Key of its own.',
    retry: false,
  },
  idempotent_answer_too_large: {
    status: 409,
    title: 'The first answer is too large to be given again',
    type: 'invalid_request_error',
    fault: 'policy',
    remedy:
      'The request has been carried out: to have it done again, send another Idempotency-Key.',
    retry: false,
  },
} as const satisfies Record<IdempotencyErrorCode, Problem>
