export { addContext, type Fields, getContext, withContext } from './core/context.ts'
export { isLoggerError, LoggerError, type LoggerErrorCode } from './core/errors.ts'
export {
  createLogger,
  type Destination,
  type Level,
  type Logger,
  type LoggerOptions,
  type LogMethod,
} from './core/logger.ts'
export type { FileDestination } from './core/output/rolling-file.ts'
export type { LineWriter } from './core/output/stream.ts'
export { type RedactOptions, redact } from './core/redact/redactor.ts'
export type { Json } from './core/redact/value.ts'
export {
  type KnownSecurityEventType,
  logSecurityEvent,
  type SecurityEvent,
  type SecurityEventType,
} from './core/security-event.ts'
