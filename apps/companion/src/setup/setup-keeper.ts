import { randomUUID } from 'node:crypto'
import type { KeyRing } from '@tidegate/crypto'
import type { Identity } from '../auth/identity.ts'
import type { Done, Occurrence } from '../changes.ts'
import type { Queries } from '../database/queries.ts'
import type { JsonObject } from '../database/schema.ts'
import { checkedBody } from '../openapi/validate.ts'
import { CompanionError } from '../problems.ts'
import { MASK, type Setup, setupSchema } from './providers.ts'
import { openSecrets, type Secrets, sealSecrets } from './sealing.ts'
import {
  deleteSetup,
  insertSetup,
  lockSetup,
  readSetup,
  type SetupRow,
  updateSetup,
} from './setup-rows.ts'

/** What is to become of one. */
interface SetupChange {
  readonly name?: string | undefined
  readonly settings?: JsonObject | undefined
  readonly secrets?: Readonly<Record<string, string | null>> | undefined
}

/** Whether a version is the one that a change is meant for. */
export type IsMeant = (version: number) => boolean

/** One with its secrets in the clear. */
interface OpenedSetup {
  readonly row: SetupRow
  readonly secrets: Secrets
}

/** What may be done with the setup configurations of a tenant. */
export interface SetupKeeper {
  create(tx: Queries, identity: Identity, setup: Setup): Promise<Done<SetupRow>>
  change(
    tx: Queries,
    identity: Identity,
    id: string,
    isMeant: IsMeant,
    change: SetupChange,
  ): Promise<Done<SetupRow>>
  remove(tx: Queries, identity: Identity, id: string, isMeant: IsMeant): Promise<Done<undefined>>
  /** Reads one with its secrets, which is on record afterwards. */
  reveal(tx: Queries, identity: Identity, id: string): Promise<Done<OpenedSetup>>
}

export function createSetupKeeper(ring: KeyRing, now: () => number = Date.now): SetupKeeper {
  const versionOf = (row: Omit<SetupRow, 'open' | 'sealed'>, setup: Setup): SetupRow => {
    const secrets = textsOf(setup.secrets)
    const open = { settings: jsonOf(setup.settings), secrets: Object.keys(secrets) }
    return { ...row, name: setup.name, open, sealed: sealSecrets(ring, secrets, row) }
  }
  return {
    async create(tx, { tenant, id: actor }, setup) {
      const at = new Date(now())
      const { name, provider } = setup
      const fresh = { id: randomUUID(), tenant, name, provider, version: 1 }
      const row = versionOf({ ...fresh, createdAt: at, updatedAt: at }, setup)
      await insertSetup(tx, row, actor)
      return { result: row, events: [about('created', row)] }
    },
    async change(tx, { tenant, id: actor }, id, isMeant, change) {
      const old = await lockOwn(tx, tenant, id, isMeant)
      const secrets = mergeSecrets(openSecrets(ring, old.sealed, old), change.secrets ?? {})
      const { name = old.name, settings = old.open.settings } = change
      const setup = checkedBody(setupSchema, { name, provider: old.provider, settings, secrets })
      const next = { ...old, version: old.version + 1, updatedAt: new Date(now()) }
      const row = versionOf(next, setup)
      await updateSetup(tx, row, actor)
      const changed = { changed: Object.keys(change), secrets: Object.keys(change.secrets ?? {}) }
      return { result: row, events: [about('updated', row, changed)] }
    },
    async remove(tx, { tenant }, id, isMeant) {
      const row = await lockOwn(tx, tenant, id, isMeant)
      await deleteSetup(tx, row)
      return { result: undefined, events: [about('deleted', row)] }
    },
    async reveal(tx, { tenant }, id) {
      const row = await readSetup(tx, tenant, id)
      if (row === undefined) throw unknownSetup()
      const secrets = openSecrets(ring, row.sealed, row)
      const names = Object.keys(secrets)
      const events = names.length > 0 ? [about('secret_read', row, { secrets: names })] : []
      return { result: { row, secrets }, events }
    },
  }
}

export function unknownSetup(): CompanionError {
  const message = 'Your tenant has no setup configuration of this id.'
  return new CompanionError('unknown_setup_configuration', message)
}

async function lockOwn(
  tx: Queries,
  tenant: string,
  id: string,
  isMeant: IsMeant,
): Promise<SetupRow> {
  const row = await lockSetup(tx, tenant, id)
  if (row === undefined) throw unknownSetup()
  if (isMeant(row.version)) return row
  throw new CompanionError('version_conflict', 'Another version is the current one.', {
    param: 'If-Match',
  })
}

function mergeSecrets(old: Secrets, changed: Readonly<Record<string, string | null>>): Secrets {
  const merged = new Map(Object.entries(old))
  for (const [name, value] of Object.entries(changed)) {
    if (value === null) merged.delete(name)
    else if (value !== MASK || !merged.has(name)) merged.set(name, value)
  }
  return Object.fromEntries(merged)
}

function about(what: string, row: SetupRow, more: JsonObject = {}): Occurrence {
  const { id, name, provider, version } = row
  return {
    type: `setup_configuration.${what}`,
    details: { configuration: id, name, provider, version, ...more },
  }
}

/** What is undefined isn't there. */
function jsonOf(settings: Setup['settings']): JsonObject {
  const given = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return Object.fromEntries(given)
}

function textsOf(secrets: Setup['secrets']): Secrets {
  const given = Object.entries(secrets).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
}
