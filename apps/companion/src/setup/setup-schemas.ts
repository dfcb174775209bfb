import { z } from '@hono/zod-openapi'
import { MASK, PROVIDERS } from './providers.ts'
import type { Secrets } from './sealing.ts'
import type { SetupRow, SetupVersion } from './setup-rows.ts'

const facts = z.object({
  name: z.string(),
  provider: z.enum(PROVIDERS),
  settings: z.record(z.string(), z.unknown()),
  secrets: z
    .record(z.string(), z.string())
    .openapi({ description: `Each secret, or ${MASK} for those who may not see it.` }),
  version: z.number().int(),
})

/** A setup configuration as it is told. */
export const shownSetupSchema = facts
  .extend({
    id: z.uuid(),
    revealed: z.boolean().openapi({ description: 'Whether secrets are told, not masks.' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi('SetupConfiguration')

/** One of its versions, whose secrets are never told. */
export const shownVersionSchema = facts
  .extend({ changed_by: z.string(), changed_at: z.iso.datetime() })
  .openapi('SetupConfigurationVersion')

/** What is told of one: its secrets, where they are given, else masks. */
export function shownSetup(row: SetupRow, secrets?: Secrets): z.output<typeof shownSetupSchema> {
  return {
    id: row.id,
    ...shownFacts(row),
    ...(secrets !== undefined && { secrets: { ...secrets } }),
    revealed: secrets !== undefined,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}

export function shownVersion(version: SetupVersion): z.output<typeof shownVersionSchema> {
  const { changedBy, changedAt } = version
  return {
    ...shownFacts(version),
    changed_by: changedBy,
    changed_at: changedAt.toISOString(),
  }
}

function shownFacts(of: Pick<SetupRow, 'name' | 'provider' | 'open' | 'version'>) {
  const { name, provider, open, version } = of
  return {
    name,
    provider: PROVIDERS.find((known) => known === provider) ?? 'custom',
    settings: { ...open.settings },
    secrets: Object.fromEntries(open.secrets.map((secret) => [secret, MASK])),
    version,
  }
}
