export { type BodyRules, type BodyValidator, createBodyValidator } from './body/body-validator.ts'
export { type BodyLimitOptions, bodyLimit } from './body/limit.ts'
export type { SchemaIssue, SchemaResult, StandardSchema } from './body/standard-schema.ts'
export {
  type ValidatedJson,
  type ValidateJsonOptions,
  validateJson,
} from './body/validate-json.ts'
export type { Incoming, IncomingSocket, Outgoing } from './exchange/connection.ts'
export { requestHeader } from './exchange/connection.ts'
export { type DeadlineOptions, deadline } from './exchange/deadline.ts'
export type { Exchange, ExchangeEnv, Outcome } from './exchange/exchange.ts'
export type { ExchangeOptions, Exchanges } from './exchange/middleware.ts'
export { createExchanges, exchange, exchangeOf } from './exchange/middleware.ts'
export type { Profile } from './exchange/profile.ts'
export { acceptRequestId, newRequestId } from './exchange/request-id.ts'
export { type Timed, type Timing, timingHeaders } from './exchange/timing.ts'
export { type CompressOptions, compress } from './headers/compress.ts'
export {
  CORS_REQUEST_HEADERS,
  type Cors,
  type CorsOptions,
  compileCors,
  cors,
  type Preflight,
} from './headers/cors.ts'
export { security, securityHeaders } from './headers/security.ts'
export {
  type ForwardedPeer,
  type IpGroupOptions,
  ipGroup,
  resolveClientIp,
} from './network/client-ip.ts'
export { createTrust, isLoopback, type Trust } from './network/trust.ts'
export {
  ClientGone,
  DeadlineExceeded,
  type DeadlineFacts,
  isServerError,
  ServerError,
  type ServerErrorCode,
  type ServerErrorOptions,
  SetupError,
} from './problems/errors.ts'
export { createProblems, type Problems, type ProblemsOptions } from './problems/problems.ts'
export type {
  ProblemContext,
  ProblemForm,
  RenderedProblem,
  RenderOptions,
} from './problems/render.ts'
export {
  defineProblems,
  type Fault,
  type Problem,
  type ProblemTable,
  type ProblemType,
  SERVER_PROBLEMS,
} from './problems/table.ts'
export { normaliseTarget, type Target } from './target/normalise-target.ts'
