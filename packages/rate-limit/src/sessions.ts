export {
  createSessions,
  type OpenedSession,
  type SessionEvent,
  type SessionInfo,
  type Sessions,
  type SessionsOptions,
} from './sessions/create-sessions.ts'
export {
  type MemorySessionStore,
  type MemorySessionStoreOptions,
  memorySessionStore,
} from './sessions/memory-session-store.ts'
export type {
  Session,
  SessionAllowed,
  SessionAnswer,
  SessionEnded,
  SessionLimited,
} from './sessions/session.ts'
export { MAX_ENDED, type SessionStore, type SessionTouch } from './sessions/session-store.ts'
