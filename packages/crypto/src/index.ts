export { CryptoError } from './core/errors.ts'
