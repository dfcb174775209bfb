import { buildConnector } from 'undici'

/**
 * Connects as undici does by itself, but for one thing: undici takes a reset for the end of a body that
 * lasts until its connection ends, so that half an answer would look whole. Under another code it is
 * the fault that it is.
 *
 * @param timeout Milliseconds to connect in, TLS included.
 */
export function createConnector(timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, allowH2: false })
  return (target, callback) => {
    connect(target, (...connected) => {
      connected[1]?.on('error', renameReset)
      callback(...connected)
    })
  }
}

function renameReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'UND_ERR_SOCKET'
}
