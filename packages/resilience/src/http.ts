export type { AddressRange } from './http/address-range.ts'
export type { BatchOptions, BatchProgress, BatchResult } from './http/batch.ts'
export type {
  CallOptions,
  HttpResponse,
  HttpStreamResponse,
  Query,
  RequestBody,
  ResponseBody,
  SendOptions,
} from './http/call-options.ts'
export { checkClientSettings } from './http/check-settings.ts'
export {
  createHttpClient,
  type EventStreamOptions,
  type HttpClient,
  type HttpClientStats,
  type RequestOptions,
  type SendMethod,
  type StreamOptions,
} from './http/client.ts'
export type { TlsOptions } from './http/connector.ts'
export type { DiscoveredEndpoint, Discovery } from './http/discovery.ts'
export { createDnsDiscovery, type DnsDiscoveryOptions } from './http/dns-discovery.ts'
export { createEgress, type Egress, type EgressOptions } from './http/egress.ts'
export { EgressDeniedError, type EgressRule } from './http/egress-denied.ts'
export type { EndpointStats } from './http/endpoint.ts'
export {
  AllEndpointsFailedError,
  ConnectionError,
  type HttpClientError,
  HttpStatusError,
  isHttpClientError,
  type ResponseHeaders,
  ResponseTooLargeError,
  ResponseValidationError,
  StreamInterruptedError,
  type ValidationIssue,
} from './http/errors.ts'
export type { HttpClientEvent } from './http/events.ts'
export type { HealthOptions, HealthReport } from './http/health.ts'
export type {
  Auth,
  Credential,
  HttpBreakerOptions,
  HttpBulkheadOptions,
  HttpClientOptions,
  HttpHedgeOptions,
  HttpRetryOptions,
  HttpTimeouts,
  LimitAnswer,
  LimitedCall,
} from './http/options.ts'
export type { CachedResponse, ResponseCache } from './http/response-cache.ts'
export { type ClientProfile, clientSettingsFromEnv } from './http/settings.ts'
export { ClientSettingsError, type SettingsIssue } from './http/settings-issue.ts'
export type { ServerSentEvent } from './http/sse.ts'
export type { StandardSchema } from './http/validation.ts'
