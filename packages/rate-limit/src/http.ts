export {
  type HeaderForm,
  type HeaderOptions,
  type QuotaUnit,
  rateLimitHeaders,
} from './core/headers.ts'
export { type ClientKeyOptions, clientKey } from './http/client-key.ts'
export { type Denial, type DenialBody, type DenialOptions, denialOf } from './http/denial.ts'
