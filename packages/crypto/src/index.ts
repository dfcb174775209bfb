export { type AeadOptions, openBytes, sealBytes } from './core/envelope/aes-gcm.ts'
export type { SealContext } from './core/envelope/context.ts'
export { needsRotation, open, openText, rewrap, seal } from './core/envelope/envelope.ts'
export { isSealed } from './core/envelope/format.ts'
export { CryptoError, type CryptoErrorCode, isCryptoError } from './core/errors.ts'
export {
  createKeyRing,
  type DerivedSecrets,
  type KeyRing,
  type KeyRingOptions,
} from './core/ring/key-ring.ts'
export type { SecretSource } from './core/secret.ts'
