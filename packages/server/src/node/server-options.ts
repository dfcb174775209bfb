import type { ServerOptions } from 'node:http'

/** The limits that Node takes only when a server is made. */
export interface ServerLimits {
  /** Time for a request's headers to arrive. Default 15 000 ms. */
  readonly headersTimeoutMs?: number
  /** Time for a whole request, its body included, to arrive. Default 300 000 ms; 0 = no limit. */
  readonly requestTimeoutMs?: number
  /** Bytes of a request's line and headers together. Default 16 384. */
  readonly maxHeaderBytes?: number
}

/**
 * Options for `http.createServer`: slow clients are timed out, oversized headers refused, the parser is
 * strict and a request without `Host` is answered 400. Use it together with {@link hardenServer}.
 */
export function serverOptions(limits: ServerLimits = {}): ServerOptions {
  const { headersTimeoutMs = 15_000, requestTimeoutMs = 300_000, maxHeaderBytes = 16_384 } = limits
  const shortest = Math.min(
    headersTimeoutMs || Number.POSITIVE_INFINITY,
    requestTimeoutMs || Number.POSITIVE_INFINITY,
  )
  return {
    headersTimeout: headersTimeoutMs,
    // Node refuses a request timeout below the headers' one.
    requestTimeout: requestTimeoutMs === 0 ? 0 : Math.max(requestTimeoutMs, headersTimeoutMs),
    // How often Node looks: its default of 30 s would make any shorter timeout meaningless.
    connectionsCheckingInterval: checkingInterval(shortest),
    maxHeaderSize: maxHeaderBytes,
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
  }
}

function checkingInterval(shortestMs: number): number {
  return Math.min(5000, Math.max(50, Math.floor(shortestMs / 4)))
}
