import { ResilienceError, TimeoutError } from '../core/errors.ts'
import { ConnectionError } from './errors.ts'

interface FaultPlace {
  readonly sent: boolean
  readonly endpoint: string
  readonly connectMs: number
}

/** What an error of undici's, of the system's or of TLS means. */
export function connectionFault(error: Error, { sent, endpoint, connectMs }: FaultPlace): Error {
  if (error instanceof ResilienceError) return error
  const code = codeOf(error)
  if (!sent && (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')) {
    return new TimeoutError('connect', connectMs, { cause: error })
  }
  // undici's way to say that the request can't be: nothing that the endpoint did.
  if (code === 'UND_ERR_INVALID_ARG') return new TypeError(error.message, { cause: error })
  // It carries the bytes that it could not read, which may be somebody's words: not for a log.
  Reflect.deleteProperty(error, 'data')
  return new ConnectionError(reasonOf(code), sent, { cause: error, endpoint })
}

function codeOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  if (typeof code === 'string') return code
  return error.name
}

/** undici's codes in words; the system's and TLS's as they are. */
function reasonOf(code: string): string {
  switch (code) {
    case 'UND_ERR_SOCKET':
      return 'closed by the endpoint'
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return 'the client is closed'
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return 'fewer bytes than announced'
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'headers too large'
    case 'HTTPParserError':
      return 'not HTTP'
    default:
      return code.startsWith('HPE_') ? 'not HTTP' : code
  }
}
