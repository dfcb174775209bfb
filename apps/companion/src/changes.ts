import type { JsonObject } from './audit/canonical-json.ts'
import type { AuditTrail } from './audit/trail.ts'
import type { Database, TransactionOptions } from './database/database.ts'
import type { Queries } from './database/queries.ts'
import type { Call } from './openapi/operation.ts'

/** What a change, or the read of a secret, leaves on record. It never holds a secret. */
export interface Occurrence {
  /** Words parted by dots: `api_key.created`. */
  readonly type: string
  readonly details: JsonObject
}

/** What comes of a change. */
export interface Done<T> {
  readonly result: T
  readonly events: readonly Occurrence[]
}

/** Who changes something, and on which request. */
export type Caller = Pick<Call<unknown, unknown, unknown>, 'c' | 'identity'>

/**
 * Runs what changes data, or reads secrets, in one transaction together with its audit records: it is done once it is
 * on record, and never without. The request's deadline ends the transaction, and so does a client that leaves.
 */
export type Change = <T>(caller: Caller, work: (tx: Queries) => Promise<Done<T>>) => Promise<T>

export function createChange(
  database: Pick<Database, 'transaction'>,
  audit: Pick<AuditTrail<Queries>, 'appendAll'>,
): Change {
  return async ({ c, identity }, work) => {
    const exchange = c.get('exchange')
    exchange.hop = 'the database'
    const about = {
      tenant: identity.tenant,
      actor: identity.id,
      ip: exchange.clientIp,
      requestId: exchange.requestId,
    }
    const limits: TransactionOptions = {
      signal: exchange.signal,
      ...(exchange.deadlineAt !== undefined && {
        timeoutMs: Math.max(1, Math.ceil(exchange.deadlineAt - performance.now())),
      }),
    }
    return await database.transaction(async (tx) => {
      const { result, events } = await work(tx)
      // Last, as the chain's head is locked from here to the end.
      await audit.appendAll(
        events.map((event) => ({ ...about, ...event })),
        tx,
      )
      return result
    }, limits)
  }
}
