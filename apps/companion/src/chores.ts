import type { AuditTrail } from './audit/trail.ts'
import type { Database } from './database/database.ts'
import type { Queries } from './database/queries.ts'
import { dropExpired } from './idempotency.ts'

/** What is done now and then, without anybody asking. */
export interface Chores {
  /** Does it once more, signing what the audit log ends with. */
  close(): Promise<void>
}

export interface ChoresOptions {
  readonly database: Pick<Database, 'orm'>
  readonly audit: Pick<AuditTrail<Queries>, 'checkpoint' | 'retain'>
  readonly onError: (chore: string, error: unknown) => void
}

const OFTEN_MS = 60_000
const SELDOM_MS = 15 * 60_000

/** Signs the audit log each minute, and drops what is kept no longer. A chore that fails is tried again the next time. */
export function beginChores({ database, audit, onError }: ChoresOptions): Chores {
  let working: Promise<void> = Promise.resolve()
  const chore = (name: string, work: () => Promise<unknown>): Promise<void> => {
    working = working.then(work).then(
      () => {},
      (error: unknown) => onError(name, error),
    )
    return working
  }
  const sign = (): Promise<void> => chore('audit checkpoint', () => audit.checkpoint())
  const clear = (): void => {
    void chore('audit retention', () => audit.retain())
    void chore('idempotency keys', () => dropExpired(database.orm, Date.now()))
  }
  const timers = [setInterval(sign, OFTEN_MS), setInterval(clear, SELDOM_MS)]
  for (const timer of timers) timer.unref()
  return {
    close() {
      for (const timer of timers) clearInterval(timer)
      return sign()
    },
  }
}
