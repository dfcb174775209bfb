import { isCryptoError } from '@tidegate/crypto'
import { type ApiKeys, hasScope } from '@tidegate/crypto/api-keys'
import { ServerError } from '@tidegate/server'
import type { Identity } from '../auth/identity.ts'
import type { KeyKind, KeyRecord } from '../auth/key-record.ts'
import type { Done } from '../changes.ts'
import type { Settings } from '../config/settings.ts'
import type { Queries } from '../database/queries.ts'
import { CompanionError } from '../problems.ts'
import { countKeys, insertKey, lockKey, updateKey } from './key-rows.ts'

/** What a key is made of. Times are milliseconds since 1970. */
export interface KeyWish {
  readonly tenant: string
  readonly name: string
  readonly kind: KeyKind
  readonly scopes: readonly string[]
  readonly tier: string | null
  readonly expiresAt: number | null
}

/** A key at the one moment at which it is known. */
export interface MadeKey {
  readonly key: string
  readonly record: KeyRecord
}

/** Makes a key, whoever asks for it. */
export async function makeKey(
  tx: Queries,
  apiKeys: ApiKeys,
  wish: KeyWish,
): Promise<Done<MadeKey>> {
  const { tenant, name, kind, scopes, tier, expiresAt } = wish
  const made = guarded(() =>
    apiKeys.generate({
      scopes,
      ...(tier !== null && { tier }),
      ...(expiresAt !== null && { expiresAt }),
    }),
  )
  const record: KeyRecord = { ...made.record, tenant, name, kind, lastUsedAt: null }
  await insertKey(tx, record)
  return {
    result: { key: made.key, record },
    events: [
      {
        type: 'api_key.created',
        details: { key: record.id, name, kind, scopes: [...record.scopes], tier },
      },
    ],
  }
}

/** What may be done with the keys of a tenant by one who has a key of it. */
export interface KeyKeeper {
  create(tx: Queries, identity: Identity, wish: Omit<KeyWish, 'tenant'>): Promise<Done<MadeKey>>
  rotate(
    tx: Queries,
    identity: Identity,
    id: string,
    wish: { readonly overlapMs?: number; readonly expiresAt?: number | null },
  ): Promise<Done<MadeKey>>
  /** One that is revoked stays so, and nothing happens. */
  revoke(tx: Queries, identity: Identity, id: string): Promise<Done<KeyRecord>>
}

/** Nobody makes, renews or ends a key that may do more than their own. */
export function createKeyKeeper(
  apiKeys: ApiKeys,
  { overlapMs: usualOverlapMs, maxPerTenant }: Settings['keys'],
  now: () => number = Date.now,
): KeyKeeper {
  return {
    async create(tx, identity, wish) {
      refuseMore(identity, wish.scopes)
      await refuseTooMany(tx, identity.tenant, maxPerTenant)
      return await makeKey(tx, apiKeys, { ...wish, tenant: identity.tenant })
    },
    async rotate(tx, identity, id, { overlapMs = usualOverlapMs, expiresAt }) {
      const old = await ownKey(tx, identity, id)
      const options = { overlapMs, ...(expiresAt !== undefined && { expiresAt }) }
      const { key, record: made, replaced } = guarded(() => apiKeys.rotate(old, options))
      const { tenant, name, kind } = old
      const record: KeyRecord = { ...made, tenant, name, kind, lastUsedAt: null }
      await insertKey(tx, record)
      await updateKey(tx, replaced)
      const details = { key: id, new_key: record.id, overlap_ms: overlapMs }
      return { result: { key, record }, events: [{ type: 'api_key.rotated', details }] }
    },
    async revoke(tx, identity, id) {
      const old = await ownKey(tx, identity, id)
      if (old.revokedAt != null) return { result: old, events: [] }
      const result = { ...old, revokedAt: now() }
      await updateKey(tx, result)
      return { result, events: [{ type: 'api_key.revoked', details: { key: id } }] }
    },
  }
}

async function ownKey(tx: Queries, identity: Identity, id: string): Promise<KeyRecord> {
  const record = await lockKey(tx, identity.tenant, id)
  if (record === undefined) throw unknownKey()
  refuseMore(identity, record.scopes)
  return record
}

export function unknownKey(): CompanionError {
  return new CompanionError('unknown_key', 'Your tenant has no key of this id.')
}

function refuseMore({ scopes }: Identity, wanted: readonly string[]): void {
  const beyond = wanted.find((scope) => !hasScope(scopes, scope))
  if (beyond === undefined) return
  const message = `The scope "${beyond}" goes beyond those of your own key.`
  throw new CompanionError('insufficient_scope', message, { param: 'scopes' })
}

async function refuseTooMany(tx: Queries, tenant: string, most: number): Promise<void> {
  if ((await countKeys(tx, tenant)) < most) return
  throw new CompanionError('too_many_keys', `Your tenant has ${most} keys that are not revoked.`)
}

/** What can't be meant is the client's mistake, in their words. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!isCryptoError(error)) throw error
    if (error.code === 'key_not_active') throw new CompanionError('key_not_active', error.message)
    if (error.code !== 'invalid_option') throw error
    // Scopes were checked before: what is left are times.
    throw new ServerError('validation_failed', error.message, { param: 'expires_at' })
  }
}
