export {
  followRequests,
  type RequestEnd,
  type RequestLogOptions,
  requestLog,
} from './hono/request-log.ts'
