import type { RedisError } from './errors.ts'
import type { Revealable } from './secret.ts'

/** Where a node listens. */
export interface RedisAddress {
  readonly host: string
  /** 6379 unless given; 26379 for a Sentinel. */
  readonly port?: number
}

/** How TLS is spoken. The server's certificate is always verified. */
export interface RedisTls {
  /** The authorities to trust, PEM, in place of the system's. */
  readonly ca?: string | readonly string[]
  /** The client's own certificate, PEM; with `key`. */
  readonly cert?: string
  /** The client's private key, PEM. */
  readonly key?: string | Revealable
  /** The name the certificate has to be for, where it isn't the host connected to. */
  readonly servername?: string
}

/** A primary that Sentinels watch over. */
export interface RedisSentinel {
  /** The name the Sentinels know the primary by. */
  readonly name: string
  readonly nodes: readonly RedisAddress[]
  /** Who to be towards the Sentinels, where they ask. */
  readonly username?: string
  readonly password?: string | Revealable
  /** TLS towards the Sentinels. `true` trusts the system's authorities. */
  readonly tls?: RedisTls | true
}

/** Which of the connections: each has its own socket. */
export type RedisRole = 'commands' | 'subscriber' | 'blocking'

/**
 * `idle`: not asked for yet. `connecting`: the first try is under way. `ready`: commands go out.
 * `reconnecting`: it failed or broke and is tried again and again. `closed`: for good.
 */
export type RedisState = 'idle' | 'connecting' | 'ready' | 'reconnecting' | 'closed'

/** A connection went from one state into another. */
export interface RedisStateChange {
  readonly connection: RedisRole
  readonly from: RedisState
  readonly to: RedisState
  /** Why it is being reconnected, when that is known. */
  readonly reason?: RedisError
}

/** How to connect. Exactly one of `url`, `cluster` and `sentinel` says where. */
export interface RedisOptions {
  /** One server: `redis://user:password@host:6379/0`, `rediss://` for TLS. */
  readonly url?: string | Revealable
  /** Some nodes of a Cluster; the others are found. */
  readonly cluster?: readonly RedisAddress[]
  readonly sentinel?: RedisSentinel
  /** TLS towards Redis. `true` trusts the system's authorities. Implied by `rediss://`. */
  readonly tls?: RedisTls | true
  /** The ACL user; `default` unless given. Those of the URL win. */
  readonly username?: string
  readonly password?: string | Revealable
  /** The database, from 0, unless the URL names one. A Cluster has only 0. */
  readonly database?: number
  /** How long making a connection may take, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** How long a command may take, in milliseconds. Default 5,000. */
  readonly commandTimeoutMs?: number
  /** The longest wait before connecting again, in milliseconds. Default 2,000. */
  readonly reconnectMaxMs?: number
  /** How many connections may be open at once (per node of a Cluster). Default 20. */
  readonly maxConnections?: number
  /** RESP2 for proxies that can't speak RESP3. Replies look the same. Default 3. */
  readonly protocol?: 2 | 3
  /** What `CLIENT LIST` shows. Default `tidegate`. */
  readonly name?: string
  /** Told of every change of state. Must not throw. */
  readonly onStateChange?: (change: RedisStateChange) => void
  /** Draws the jitter of reconnects, from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
}
