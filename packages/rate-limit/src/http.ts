export {
  type HeaderForm,
  type HeaderOptions,
  type QuotaUnit,
  rateLimitHeaders,
} from './core/headers.ts'
