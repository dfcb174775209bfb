import type { buildConnector, Client, Dispatcher, Pool } from 'undici'
import type { Egress } from './egress.ts'
import { Exchange } from './exchange.ts'
import type { Carrier } from './exchange-plan.ts'
import { createConnector, UndiciClient, UndiciPool } from './undici.ts'

/** What TLS connections are made with, as `node:tls` takes it. */
export interface TlsOptions {
  /** Authorities to trust in place of the system's. */
  readonly ca?: string | Buffer | (string | Buffer)[] | undefined
  /** The client's own certificate and key. */
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  /** The name to ask for and to check, in place of the URL's host. */
  readonly servername?: string | undefined
}

/** How an endpoint's connections are made. */
export interface ConnectionSettings {
  readonly connections: number
  readonly connectMs: number
  readonly keepAliveMs: number
  readonly tls: TlsOptions | undefined
  readonly egress: Egress | undefined
}

/** Counts an endpoint's connections. */
export interface ConnectionCounts {
  opened: number
  open: number
}

/**
 * The connections to one origin. HTTP/2 is off: its streams share the fate of one connection, which is
 * not what the limits and breakers here count by.
 */
export function createPool(
  origin: string,
  settings: ConnectionSettings,
  counts: ConnectionCounts,
): Pool {
  const connect = countingConnector(settings, counts)
  return new UndiciPool(origin, {
    factory: (url, options) => new CountingClient(url, options, connect),
    connections: settings.connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: settings.keepAliveMs,
    connect,
    // Both limits are the exchange's own, which knows a quiet stream from a dead one.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 64 * 1024,
  })
}

/** One connection at a time, and the count of requests on it. */
class CountingClient extends UndiciClient implements Carrier {
  #requests = 0

  constructor(origin: URL, options: Client.Options, connect: buildConnector.connector) {
    super(origin, {
      ...options,
      connect: (target, callback) => {
        this.#requests = 0
        connect(target, callback)
      },
    })
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (handler instanceof Exchange) handler.carrier = this
    return super.dispatch(options, handler)
  }

  countRequest(): number {
    this.#requests += 1
    return this.#requests
  }
}

function countingConnector(
  settings: ConnectionSettings,
  counts: ConnectionCounts,
): buildConnector.connector {
  const { tls, egress } = settings
  const options = { timeout: settings.connectMs, allowH2: false, ...tls }
  const connect = egress?.connector(options) ?? createConnector(options)
  return (target, callback) => {
    connect(target, (...connected) => {
      const socket = connected[1]
      // undici leaves it out where its type says null.
      if (socket) {
        counts.opened += 1
        counts.open += 1
        socket.once('close', () => {
          counts.open -= 1
        })
        socket.on('error', renameReset)
      }
      callback(...connected)
    })
  }
}

/**
 * undici takes a reset for the end of a body that lasts until its connection ends, so that half a
 * response would look whole. Under another code it is the fault that it is.
 */
function renameReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'UND_ERR_SOCKET'
}
