import type { MiddlewareHandler } from 'hono'
import { compress as honoCompress } from 'hono/compress'

/** Whether and from what size responses are compressed. */
export interface CompressOptions {
  /** Default true. */
  readonly enabled?: boolean
  /** Smaller bodies of known length stay as they are. Default 1024 bytes. */
  readonly thresholdBytes?: number
}

/**
 * Compresses text-like responses with gzip or deflate as `Accept-Encoding` asks, and sets `vary`.
 * Event streams, ranges, `no-transform` and what is already encoded stay as they are. Mount it on your
 * own endpoints only: a proxied body is never recoded.
 */
export function compress(options: CompressOptions = {}): MiddlewareHandler {
  const { enabled = true, thresholdBytes = 1024 } = options
  return enabled ? honoCompress({ threshold: thresholdBytes }) : (_c, next) => next()
}
