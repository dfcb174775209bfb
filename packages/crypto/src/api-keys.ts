export {
  type ApiKeyRefusal,
  type ApiKeys,
  type ApiKeysOptions,
  createApiKeys,
  type GeneratedApiKey,
  type GenerateOptions,
  type ParsedApiKey,
  type RotatedApiKey,
  type RotateOptions,
  type VerifiedApiKey,
} from './core/api-keys/api-keys.ts'
export type { Peppers } from './core/api-keys/digests.ts'
export type { KeyTextFault } from './core/api-keys/key-format.ts'
export type { ApiKeyRecord, ApiKeyStanding } from './core/api-keys/record.ts'
export { hasScope, isScope } from './core/api-keys/scopes.ts'
export { CryptoError, type CryptoErrorCode, isCryptoError } from './core/errors.ts'
export type { SecretSource } from './core/secret.ts'
