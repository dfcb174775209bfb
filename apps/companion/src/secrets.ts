import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createKeyRing, type KeyRing } from '@tidegate/crypto'
import { desc, sql } from 'drizzle-orm'
import type { Settings } from './config/settings.ts'
import type { Database } from './database/database.ts'
import { secretFingerprints } from './database/schema.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** Where the secret is that was made because none was given. */
function secretFile(directory: string): string {
  return join(directory, 'encryption-secret')
}

type From = Pick<Settings, 'secrets' | 'directory'>

/** The keys that everything is sealed with: those of the settings, or of the file; undefined when there is neither. */
export async function findKeyRing({ secrets, directory }: From): Promise<KeyRing | undefined> {
  const { current, previous } = secrets
  if (current !== undefined) return createKeyRing({ current, previous })
  const secret = await readPrivateFile(secretFile(directory))
  return secret === undefined ? undefined : createKeyRing({ current: secret, previous })
}

/** The same, of a new file when there was neither. */
export async function openKeyRing(from: From): Promise<KeyRing> {
  const found = await findKeyRing(from)
  if (found !== undefined) return found
  const secret = randomBytes(32).toString('base64')
  await writePrivateFile(secretFile(from.directory), secret)
  return createKeyRing({ current: secret, previous: from.secrets.previous })
}

/** The data are sealed with a secret that isn't among those given. */
class WrongSecretError extends Error {
  readonly code = 'wrong_encryption_secret'

  constructor() {
    super(
      'ENCRYPTION_SECRET is not the one that the data are sealed with: set that one, or give it as ENCRYPTION_SECRET_PREVIOUS to change it. Without a variable it is in the file encryption-secret of COMPANION_DATA_DIR.',
    )
    this.name = 'WrongSecretError'
  }
}

/**
 * Makes sure that the secret fits the data, by the fingerprint of the secret that was in use last, and notes the one
 * that is in use from now on.
 *
 * @throws WrongSecretError
 */
export async function checkFingerprint(
  { orm }: Pick<Database, 'orm'>,
  ring: KeyRing,
  now: () => number = Date.now,
): Promise<void> {
  const [latest] = await orm
    .select()
    .from(secretFingerprints)
    .orderBy(desc(secretFingerprints.firstSeenAt), desc(secretFingerprints.fingerprint))
    .limit(1)
  if (latest?.fingerprint === ring.fingerprint) return
  if (latest !== undefined && !ring.previous.includes(latest.fingerprint)) {
    throw new WrongSecretError()
  }
  // A secret that comes back after another one is the newest again; a clock that went back changes nothing in that.
  const at = new Date(Math.max(now(), (latest?.firstSeenAt.getTime() ?? 0) + 1))
  await orm
    .insert(secretFingerprints)
    .values({ fingerprint: ring.fingerprint, firstSeenAt: at })
    .onConflictDoUpdate({
      target: secretFingerprints.fingerprint,
      set: { firstSeenAt: sql`excluded.first_seen_at` },
    })
}
