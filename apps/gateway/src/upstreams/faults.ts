import { GatewayError, type GatewayErrorCode } from '../problems.ts'

/** What an error of the transport means, told without an address; other errors come back as they are. */
export function faultOf(error: Error): Error {
  const code = String(('code' in error ? error.code : undefined) ?? error.name)
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return named(
        'upstream_connect_timeout',
        'No connection to the upstream could be made in time.',
        error,
      )
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EPROTO':
      return named('upstream_unreachable', 'No connection to the upstream could be made.', error)
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return named(
        'upstream_bad_response',
        'The request could not be sent on to the upstream.',
        error,
      )
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return named(
        'upstream_reset',
        'The upstream closed the connection before it answered.',
        error,
      )
    // How undici's parser meets what it never asked for, such as a switch of protocols.
    case 'ERR_ASSERTION':
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return named('upstream_bad_response', "The upstream's answer was not valid HTTP.", error)
    default:
      if (error.name === 'HTTPParserError' || code.startsWith('HPE_')) {
        // It carries the bytes that it could not read. They may be an answer's words: not for a log.
        Reflect.deleteProperty(error, 'data')
        return named('upstream_bad_response', "The upstream's answer was not valid HTTP.", error)
      }
      if (
        /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/.test(code)
      ) {
        return named('upstream_unreachable', "The upstream's certificate was not accepted.", error)
      }
      return error
  }
}

function named(code: GatewayErrorCode, message: string, cause: Error): GatewayError {
  return new GatewayError(code, message, { cause })
}
