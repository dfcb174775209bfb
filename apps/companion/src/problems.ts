import { defineProblems, type Problem, ServerError } from '@tidegate/server'

/** Everything that can go wrong between a client and what the companion keeps, by what it means. */
export type CompanionErrorCode =
  | 'missing_api_key'
  | 'invalid_api_key'
  | 'insufficient_scope'
  | 'unknown_key'
  | 'key_not_active'
  | 'too_many_keys'
  | 'unknown_setup_configuration'
  | 'setup_configuration_exists'
  | 'precondition_required'
  | 'version_conflict'
  | 'idempotency_key_invalid'
  | 'idempotency_key_reused'
  | 'secret_unreadable'
  | 'conflict'
  | 'database_closed'
  | 'lock_lost'

/** A fault with a name. Its message is for the client: it never holds a secret, a query or a stack. */
export class CompanionError extends ServerError<CompanionErrorCode> {}

const asked = { type: 'invalid_request_error', fault: 'client', retry: false } as const

const gone = { status: 503, type: 'api_error', fault: 'gateway', retry: true } as const

/** Code → response, exhaustive: a new code doesn't compile until it has its row. */
export const problems = defineProblems({
  missing_api_key: {
    status: 401,
    title: 'An API key is required',
    type: 'authentication_error',
    fault: 'client',
    retry: false,
    remedy: 'Send a key of this companion as "Authorization: Bearer KEY" or "x-api-key".',
  },
  invalid_api_key: {
    status: 401,
    title: 'The API key is not accepted',
    type: 'authentication_error',
    fault: 'client',
    retry: false,
    remedy: 'Check the key, or have a new one made.',
  },
  insufficient_scope: {
    status: 403,
    title: 'The key does not allow this',
    type: 'permission_error',
    fault: 'policy',
    retry: false,
    remedy: 'Use a key that has the scope.',
  },
  unknown_key: {
    ...asked,
    status: 404,
    title: 'No such key',
    remedy: 'GET /api/v1/keys lists the keys of your tenant.',
  },
  key_not_active: {
    ...asked,
    status: 409,
    title: 'The key is not active any more',
    remedy: 'Create a new key instead.',
  },
  too_many_keys: {
    ...asked,
    status: 409,
    title: 'The tenant has as many keys as it may',
    remedy: 'Revoke keys that nobody uses, or have COMPANION_MAX_KEYS raised.',
  },
  unknown_setup_configuration: {
    ...asked,
    status: 404,
    title: 'No such setup configuration',
    remedy: 'GET /api/v1/setup-configurations lists those of your tenant.',
  },
  setup_configuration_exists: {
    ...asked,
    status: 409,
    title: 'There is a setup configuration of that name',
    remedy: 'Choose another name, or update the one that is there.',
  },
  precondition_required: {
    ...asked,
    status: 428,
    title: 'The version to be changed is missing',
    remedy: 'Read it first and send its ETag as If-Match.',
  },
  version_conflict: {
    ...asked,
    status: 412,
    title: 'It was changed in the meantime',
    remedy: 'Read it again, make the change anew and send the new ETag as If-Match.',
  },
  idempotency_key_invalid: {
    ...asked,
    status: 400,
    title: 'The Idempotency-Key is not valid',
    remedy: 'Send 1 to 255 visible ASCII characters, such as a UUID.',
  },
  idempotency_key_reused: {
    ...asked,
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    remedy: 'Repeat exactly the same request with it, or choose a new key.',
  },
  secret_unreadable: {
    status: 500,
    title: 'A sealed secret can not be opened',
    type: 'api_error',
    fault: 'gateway',
    expose: true,
    retry: false,
    remedy: 'The operator checks ENCRYPTION_SECRET and ENCRYPTION_SECRET_PREVIOUS.',
  },
  conflict: {
    ...asked,
    status: 409,
    title: 'Others changed the same at the same time',
    retry: true,
    remedy: 'Nothing was changed: try again.',
  },
  database_closed: {
    ...gone,
    title: 'This companion is shutting down',
    remedy: 'Retry: another instance answers.',
  },
  lock_lost: {
    ...gone,
    title: "The database is another process's now",
    remedy: 'The operator sees to it that one companion alone has its folder.',
  },
} satisfies Record<CompanionErrorCode, Problem>)
