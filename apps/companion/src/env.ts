import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Exchange } from '@tidegate/server'
import type { Identity } from './auth/identity.ts'

/** What every handler of the companion finds on its context. */
export interface CompanionEnv {
  Bindings: {
    readonly incoming: IncomingMessage
    readonly outgoing: ServerResponse
  }
  Variables: {
    readonly exchange: Exchange
    /** Who is calling. Set on every operation that states a scope. */
    identity: Identity
  }
}
