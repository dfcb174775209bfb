import { join } from 'node:path'
import type { KeyRing } from '@tidegate/crypto'
import { type ApiKeys, createApiKeys } from '@tidegate/crypto/api-keys'
import type { Logger } from '@tidegate/logger'
import { type CheckpointKeys, createCheckpointKeys } from './audit/checkpoint-keys.ts'
import { drizzleAuditStore } from './audit/drizzle-store.ts'
import { type AuditTrail, createAuditTrail } from './audit/trail.ts'
import { DEFAULT_TENANT } from './auth/authenticate.ts'
import type { Settings } from './config/settings.ts'
import type { Database } from './database/database.ts'
import { migrateDatabase } from './database/migrate.ts'
import { openDatabase } from './database/open.ts'
import type { Queries } from './database/queries.ts'
import { tenants } from './database/schema.ts'
import type { SlowQueryOptions } from './database/slow-queries.ts'
import { checkFingerprint, openKeyRing } from './secrets.ts'

/** The database together with what opens its secrets. */
export interface Store {
  readonly database: Database
  readonly ring: KeyRing
  /** Makes and verifies keys of this companion's environment. */
  readonly apiKeys: ApiKeys
}

/** How keys begin, so that whoever finds one knows what it is: `tgk_live_…`. */
const PREFIX = 'tgk'

/** What the database tells while it is open, and what it begins with. */
interface StoreOptions extends Pick<SlowQueryOptions, 'onSlow'> {
  /** Told what was done about files that were not as they should be, in a sentence. */
  readonly onNotice?: (sentence: string) => void
  readonly onSnapshotFailure?: (error: unknown) => void
  /** Told the code of what broke a connection that nobody used. */
  readonly onConnectionError?: (code: string) => void
  /** A copy that an embedded database is made of. */
  readonly restoreFrom?: string
}

/** Opens the database of the settings, without looking into it. */
export async function openDatabaseOf(
  { database, directory }: Settings,
  options: StoreOptions = {},
): Promise<Database> {
  const { url, slowMs, statementTimeoutMs, connectTimeoutMs, poolSize } = database
  const { onSnapshotFailure, onConnectionError, onNotice, restoreFrom, ...observers } = options
  if (url === undefined) {
    return await openDatabase({
      ...{ directory: join(directory, 'database'), slowMs, ...observers },
      ...(onNotice && { onNotice }),
      ...(restoreFrom && { restoreFrom }),
      snapshots: { ...(onSnapshotFailure && { onFailure: onSnapshotFailure }) },
    })
  }
  return await openDatabase({
    ...{ url: url.reveal(), maxConnections: poolSize, connectTimeoutMs, statementTimeoutMs },
    ...{ slowMs, ...observers },
    ...(onConnectionError && { onConnectionError }),
  })
}

/**
 * Opens the database of the settings, brings its tables up to date and makes sure that the secret is the data's.
 *
 * @throws DatabaseError, WrongSecretError
 */
export async function openStore(settings: Settings, options: StoreOptions = {}): Promise<Store> {
  const database = await openDatabaseOf(settings, options)
  try {
    await migrateDatabase(database)
    const ring = await openKeyRing(settings)
    await checkFingerprint(database, ring)
    const createdAt = new Date()
    await database.orm
      .insert(tenants)
      .values({ id: DEFAULT_TENANT, name: DEFAULT_TENANT, createdAt })
      .onConflictDoNothing()
    const env = settings.profile === 'production' ? 'live' : 'test'
    const apiKeys = createApiKeys({ prefix: PREFIX, env, pepper: ring.derive('api-keys') })
    return { database, ring, apiKeys }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** What happens, on record in the same database; signed by keys of the same secret. */
export function openAudit({ database, ring }: Store, logger: Logger): AuditTrail<Queries> {
  return createAuditTrail({
    store: drizzleAuditStore(database),
    keys: checkpointKeysOf(ring),
    // The log is elsewhere: a chain that was cut and signed anew is found by it.
    onCheckpoint: ({ seq, hash, reason }) => logger.info({ seq, hash, reason }, 'audit checkpoint'),
  })
}

/** What checkpoints of the audit log are signed with. */
export function checkpointKeysOf(ring: KeyRing): CheckpointKeys {
  return createCheckpointKeys(ring.derive('audit-checkpoint'))
}
