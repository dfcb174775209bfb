export {
  type RateLimitMiddlewareOptions,
  type RateLimitVariables,
  rateLimit,
} from './hono/rate-limit.ts'
