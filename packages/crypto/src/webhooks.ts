export { CryptoError, type CryptoErrorCode, isCryptoError } from './core/errors.ts'
export type { SecretSource } from './core/secret.ts'
export type { HeaderFault, WebhookHeadersIn } from './core/webhooks/headers.ts'
export {
  createMemoryReplayStore,
  type MemoryReplayStoreOptions,
  type ReplayStore,
} from './core/webhooks/replay-store.ts'
export type { WebhookBody, WebhookSecrets } from './core/webhooks/signature.ts'
export {
  createWebhookSigner,
  createWebhookVerifier,
  generateWebhookSecret,
  isWebhookSecret,
  type VerifiedWebhook,
  type WebhookDelivery,
  type WebhookHeaders,
  type WebhookRefusal,
  type WebhookSigner,
  type WebhookSignerOptions,
  type WebhookVerifier,
  type WebhookVerifierOptions,
} from './core/webhooks/standard-webhooks.ts'
export {
  createStripeStyleVerifier,
  type StripeStyleRefusal,
  type StripeStyleVerifier,
  type StripeStyleVerifierOptions,
  type VerifiedStripeStyle,
} from './core/webhooks/stripe-style.ts'
export type { TimeFault, TimeWindowOptions } from './core/webhooks/time-window.ts'
