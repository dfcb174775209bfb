import { defineProblems, type Problem, ServerError } from '@tidegate/server'
import { type CacheErrorCode, cacheProblems } from './cache/problems.ts'
import { type IdempotencyErrorCode, idempotencyProblems } from './idempotency/problems.ts'
import { type SessionErrorCode, sessionProblems } from './sessions/problems.ts'
import { type MetricStreamErrorCode, metricStreamProblems } from './telemetry/streams/problems.ts'

/**
 * Everything that can go wrong between a client and an upstream, by what it means. How each one looks
 * to a client is the table below, and nowhere else.
 */
export type GatewayErrorCode =
  | 'no_route'
  | 'invalid_api_key'
  | 'missing_api_key'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'auth_unavailable'
  | 'too_many_failed_attempts'
  | 'admin_key_required'
  | 'admin_disabled'
  | 'dashboard_not_built'
  | 'rate_limit_exceeded'
  | 'token_limit_exceeded'
  | 'concurrency_limit_exceeded'
  | 'request_exceeds_limit'
  | SessionErrorCode
  | CacheErrorCode
  | IdempotencyErrorCode
  | MetricStreamErrorCode
  | 'unknown_component'
  | 'upgrade_unsupported'
  | 'upstream_unreachable'
  | 'upstream_connect_timeout'
  | 'upstream_reset'
  | 'upstream_bad_response'
  | 'upstream_timeout'
  | 'upstream_failed'
  | 'upstream_overloaded'
  | 'upstream_unavailable'
  | 'stream_interrupted'
  | 'stream_truncated'
  | 'stream_idle'
  | 'answer_lost'
  | 'overloaded'
  | 'gateway_draining'

/** A fault with a name. Its message is for the client: it never holds an address, a secret or a stack. */
export class GatewayError extends ServerError<GatewayErrorCode> {}

/** Code → response, exhaustive: a new code doesn't compile until it has its row. */
export const problems = defineProblems({
  no_route: {
    status: 404,
    title: 'No route matches this path',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'Check the base URL and the path against the routes of the gateway.',
  },
  missing_api_key: {
    status: 401,
    title: 'An API key is required',
    type: 'authentication_error',
    fault: 'client',
    remedy: 'Send a key of this gateway as "Authorization: Bearer KEY", "x-api-key" or "api-key".',
  },
  invalid_api_key: {
    status: 401,
    title: 'The API key is not known',
    type: 'authentication_error',
    fault: 'client',
    remedy: 'Check the key: this gateway takes its own keys, not those of a provider.',
  },
  invalid_token: {
    status: 401,
    title: 'The token is not accepted',
    type: 'authentication_error',
    fault: 'client',
    remedy: 'Get a new token from its issuer, made for this gateway.',
    retry: false,
  },
  insufficient_scope: {
    status: 403,
    title: 'The token does not allow this',
    type: 'permission_error',
    fault: 'policy',
    remedy: 'Ask its issuer for a token that has what is missing.',
    retry: false,
  },
  auth_unavailable: {
    status: 503,
    title: 'Tokens can not be checked now',
    type: 'api_error',
    fault: 'gateway',
    expose: true,
    remedy: 'The token may be good: retry with it after the time in retry-after.',
    retry: true,
  },
  too_many_failed_attempts: {
    status: 429,
    title: 'Too many wrong credentials',
    type: 'rate_limit_error',
    fault: 'policy',
    remedy: 'Correct the credential, and wait for the time in retry-after.',
    retry: false,
  },
  admin_key_required: {
    status: 401,
    title: 'The admin key is required',
    type: 'authentication_error',
    fault: 'client',
    remedy: 'Send the admin key as "x-admin-key" or "Authorization: Bearer KEY".',
  },
  admin_disabled: {
    status: 403,
    title: 'The admin surface is closed',
    type: 'permission_error',
    fault: 'policy',
    remedy: 'Set ADMIN_KEY (admin.key) on the gateway and send it as "x-admin-key".',
  },
  dashboard_not_built: {
    status: 501,
    title: 'There is no dashboard in this build',
    type: 'api_error',
    fault: 'gateway',
    expose: true,
    remedy: 'Build the gateway with "pnpm build:gateway", which builds its page as well.',
    retry: false,
  },
  rate_limit_exceeded: {
    status: 429,
    title: 'Too many requests',
    type: 'rate_limit_error',
    fault: 'policy',
    remedy: 'Retry after the time in retry-after.',
    retry: true,
  },
  token_limit_exceeded: {
    status: 429,
    title: 'Too many tokens',
    type: 'rate_limit_error',
    fault: 'policy',
    remedy: 'Retry after the time in retry-after, or ask for less.',
    retry: true,
  },
  concurrency_limit_exceeded: {
    status: 429,
    title: 'Too much at the same time',
    type: 'rate_limit_error',
    fault: 'policy',
    remedy: 'Let something of yours end first, then retry.',
    retry: true,
  },
  request_exceeds_limit: {
    status: 429,
    title: 'The request is larger than the limit ever allows',
    type: 'rate_limit_error',
    fault: 'policy',
    remedy:
      'Waiting does not help: shorten the prompt, lower max_tokens, or have the limit raised.',
    retry: false,
  },
  ...sessionProblems,
  ...idempotencyProblems,
  ...cacheProblems,
  ...metricStreamProblems,
  unknown_component: {
    status: 404,
    title: 'No such component',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'GET /health/components lists the components.',
  },
  upgrade_unsupported: {
    status: 501,
    title: 'Only WebSocket upgrades pass',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'Repeat the request without the Upgrade header.',
  },
  upstream_unreachable: {
    status: 502,
    title: 'The upstream could not be reached',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'Nothing was sent: retry shortly. If it persists, the operator checks the endpoint.',
    retry: true,
  },
  upstream_connect_timeout: {
    status: 504,
    title: 'Connecting to the upstream took too long',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'Nothing was sent: retry shortly.',
    retry: true,
  },
  upstream_reset: {
    status: 502,
    title: 'The upstream closed the connection without an answer',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'The upstream may have begun to work on it: retry if a repeat does no harm.',
  },
  upstream_bad_response: {
    status: 502,
    title: 'The upstream did not answer in valid HTTP',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'The operator checks that the endpoint speaks HTTP/1.1.',
  },
  upstream_timeout: {
    status: 504,
    title: 'The upstream did not begin to answer in time',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'Retry, ask for less, or have timeouts.firstByte of this upstream raised.',
  },
  upstream_failed: {
    status: 502,
    title: 'The upstream failed',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'It was asked more than once: retry later.',
  },
  upstream_overloaded: {
    status: 503,
    title: 'Too many requests are under way',
    type: 'upstream_error',
    fault: 'policy',
    expose: true,
    remedy: 'Nothing was sent: retry after the time in retry-after.',
    retry: true,
  },
  upstream_unavailable: {
    status: 503,
    title: 'The upstream is being left alone',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'Nothing was sent: retry after the time in retry-after.',
  },
  stream_interrupted: {
    status: 502,
    title: 'The upstream broke off',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'The answer is incomplete: discard it and retry.',
  },
  stream_truncated: {
    status: 502,
    title: 'The upstream ended its stream before the end',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'The answer is incomplete: discard it and retry.',
  },
  stream_idle: {
    status: 504,
    title: 'The upstream fell silent',
    type: 'upstream_error',
    fault: 'upstream',
    expose: true,
    remedy: 'The answer is incomplete: discard it and retry.',
  },
  answer_lost: {
    status: 503,
    title: 'The call for this answer was given up',
    type: 'api_error',
    fault: 'gateway',
    expose: true,
    remedy: 'Several requests shared it: retry, and another call is made.',
    retry: true,
  },
  overloaded: {
    status: 503,
    title: 'The gateway has too much to do',
    type: 'api_error',
    fault: 'gateway',
    expose: true,
    remedy: 'Nothing was sent: retry after the time in retry-after.',
    retry: true,
  },
  gateway_draining: {
    status: 503,
    title: 'This gateway is shutting down',
    type: 'api_error',
    fault: 'gateway',
    remedy: 'Retry: another instance answers.',
    retry: true,
  },
} satisfies Record<GatewayErrorCode, Problem>)
