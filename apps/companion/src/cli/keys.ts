import { createLogger } from '@tidegate/logger'
import { DEFAULT_TENANT } from '../auth/authenticate.ts'
import { makeAdminKey } from '../auth/bootstrap.ts'
import type { Settings } from '../config/settings.ts'
import { openAudit, openStore } from '../store.ts'
import type { Shell } from './run.ts'

/** Makes a key that may do everything in its tenant. The key alone goes to stdout, so that it can be piped. */
export async function createAdminKey(
  settings: Settings,
  wish: { readonly tenant: string | undefined; readonly label: string | undefined },
  { out, err }: Shell,
): Promise<number> {
  const store = await openStore(settings)
  try {
    const audit = openAudit(store, createLogger({ level: 'silent' }))
    const tenant = wish.tenant ?? DEFAULT_TENANT
    const { key, record } = await makeAdminKey(store, audit, {
      tenant,
      name: wish.label ?? 'admin',
    })
    err(`The key ${record.id} of the tenant "${tenant}" is shown this once:\n`)
    out(`${key}\n`)
    return 0
  } finally {
    await store.database.close()
  }
}
