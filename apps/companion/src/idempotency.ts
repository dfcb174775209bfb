import { isCryptoError, type KeyRing, openText, seal } from '@tidegate/crypto'
import { requestHeader } from '@tidegate/server'
import { and, eq, lt } from 'drizzle-orm'
import type { Caller, Done } from './changes.ts'
import type { Queries } from './database/queries.ts'
import { idempotencyKeys } from './database/schema.ts'
import type { Answer } from './openapi/operation.ts'
import { CompanionError } from './problems.ts'

/** How long an answer is given again. */
const KEPT_MS = 24 * 60 * 60 * 1000

/** Carries creates out once per `Idempotency-Key`; without one, each time. */
export type Once = <T>(
  tx: Queries,
  request: OnceRequest,
  work: () => Promise<Done<Answer<T>>>,
) => Promise<Done<Answer<T>>>

/** What makes two requests the same. */
interface OnceRequest {
  readonly caller: Caller
  /** Parsed, so that what means the same is the same. */
  readonly body: unknown
}

/**
 * The key is taken in the same transaction as what it protects: who comes with the same one at the same time waits for
 * the first to end, and either gets its answer or, if it failed, is the first. Answers are sealed, as they may hold a
 * key; requests are known by a keyed hash.
 */
export function createOnce(ring: KeyRing, now: () => number = Date.now): Once {
  return async (tx, { caller, body }, work) => {
    const key = keyOf(caller)
    if (key === undefined) return await work()
    const { c, identity } = caller
    const { tenant } = identity
    const request = JSON.stringify([c.req.method, c.req.path, identity.id, body])
    const at = now()
    const row = {
      ...{ tenant, key, method: c.req.method, path: c.req.path },
      requestHash: ring.blindIndex('idempotency-request', request),
      ...{ createdAt: new Date(at), expiresAt: new Date(at + KEPT_MS) },
      ...{ status: null, headers: null, body: null },
    }
    const taken = await tx
      .insert(idempotencyKeys)
      .values(row)
      .onConflictDoUpdate({
        target: [idempotencyKeys.tenant, idempotencyKeys.key],
        set: row,
        setWhere: lt(idempotencyKeys.expiresAt, new Date(at)),
      })
      .returning({ key: idempotencyKeys.key })
    const own = and(eq(idempotencyKeys.tenant, tenant), eq(idempotencyKeys.key, key))
    const context = { purpose: 'idempotent-answer', tenant, row: key }
    if (taken.length === 0) {
      const [kept] = await tx.select().from(idempotencyKeys).where(own).limit(1)
      const hashes = ring.blindIndexes('idempotency-request', request)
      if (kept?.body == null || !hashes.includes(kept.requestHash)) throw reused()
      return { result: reopen(ring, kept.body, context), events: [] }
    }
    const done = await work()
    await tx
      .update(idempotencyKeys)
      .set({
        status: done.result.status ?? null,
        headers: null,
        body: seal(ring, JSON.stringify(done.result), context),
      })
      .where(own)
    return done
  }
}

/** Drops answers that nobody is given any more. */
export async function dropExpired(queries: Queries, now: number): Promise<void> {
  await queries.delete(idempotencyKeys).where(lt(idempotencyKeys.expiresAt, new Date(now)))
}

function reopen<T>(
  ring: KeyRing,
  sealed: string,
  context: Parameters<typeof openText>[2],
): Answer<T> {
  try {
    const answer: Answer<T> = JSON.parse(openText(ring, sealed, context))
    return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } }
  } catch (error) {
    if (!isCryptoError(error)) throw error
    throw new CompanionError('secret_unreadable', 'The kept answer can not be opened.', {
      cause: error,
    })
  }
}

const VISIBLE = /^[\x21-\x7e]{1,255}$/

function keyOf({ c }: Caller): string | undefined {
  const key = requestHeader(c, 'idempotency-key')
  if (key === undefined || VISIBLE.test(key)) return key
  throw new CompanionError('idempotency_key_invalid', 'The Idempotency-Key can not be used.', {
    param: 'Idempotency-Key',
  })
}

function reused(): CompanionError {
  const message = 'The Idempotency-Key was used for another request.'
  return new CompanionError('idempotency_key_reused', message, { param: 'Idempotency-Key' })
}
