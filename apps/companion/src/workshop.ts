import type { KeyRing } from '@tidegate/crypto'
import type { ApiKeys } from '@tidegate/crypto/api-keys'
import type { Change } from './changes.ts'
import type { Database } from './database/database.ts'
import type { Once } from './idempotency.ts'

/** What operations work with. */
export interface Workshop {
  /** For what only reads, and no secret. */
  readonly database: Pick<Database, 'orm'>
  /** For everything else. */
  readonly change: Change
  readonly once: Once
  readonly ring: KeyRing
  readonly apiKeys: ApiKeys
}
