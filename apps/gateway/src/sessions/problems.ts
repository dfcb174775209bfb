import type { Problem } from '@tidegate/server'

/** What can go wrong with sessions, beside that there are too many. */
export type SessionErrorCode =
  | 'session_ended'
  | 'unknown_session'
  | 'invalid_session_id'
  | 'invalid_session_user'
  | 'sessions_unavailable'

/** Their rows of the table of problems. */
export const sessionProblems = {
  session_ended: {
    status: 401,
    title: 'The session was ended',
    type: 'authentication_error',
    fault: 'client',
    remedy: 'Begin another session: sign in again, or send another X-Session-ID.',
    retry: false,
  },
  unknown_session: {
    status: 404,
    title: 'No such session',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'GET /api/v1/sessions lists the open ones.',
    retry: false,
  },
  invalid_session_id: {
    status: 400,
    title: 'Not a session id',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'Send one X-Session-ID of up to 256 visible ASCII characters, or none.',
    retry: false,
  },
  invalid_session_user: {
    status: 400,
    title: 'Not a user of sessions',
    type: 'invalid_request_error',
    fault: 'client',
    remedy: 'Name the user as key:ID, jwt:USER, oauth:USER or ip:ADDRESS, as sessions show it.',
    retry: false,
  },
  sessions_unavailable: {
    status: 503,
    title: 'Sessions are out of reach',
    type: 'api_error',
    fault: 'gateway',
    remedy: 'Retry shortly. If it persists, the operator looks at Redis.',
    retry: true,
  },
} as const satisfies Record<SessionErrorCode, Problem>
