import { z } from '@hono/zod-openapi'
import { isScope } from '@tidegate/crypto/api-keys'
import { KEY_KINDS, type KeyRecord } from '../auth/key-record.ts'
import { SCOPES } from '../auth/scopes.ts'
import { moment, name } from '../openapi/schemas.ts'

const scope = z
  .string()
  .max(200)
  .refine(isScope, 'is no scope, such as "keys:read" or "setup:*"')
  .openapi({ description: `One of ${SCOPES.join(', ')}; "keys:*" and "*" cover several.` })

/** What a new key is to be. */
export const createKeySchema = z
  .strictObject({
    name: name(),
    kind: z.enum(['client', 'service']).default('client'),
    scopes: z.array(scope).max(50).default([]),
    tier: name().nullable().default(null),
    expires_at: moment().nullable().default(null),
  })
  .openapi('CreateKey')

/** How a key is rotated. */
export const rotateKeySchema = z
  .strictObject({
    overlap_seconds: z.number().int().min(0).max(31_536_000).optional().openapi({
      description: 'How long both keys work. Default: COMPANION_KEY_OVERLAP, a day.',
    }),
    expires_at: moment().nullable().optional().openapi({
      description: 'When the new key expires; null is never. Default: when the old one does.',
    }),
  })
  .openapi('RotateKey')

const keyFields = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(KEY_KINDS),
  scopes: z.array(z.string()),
  tier: z.string().nullable(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  replaced_by: z.string().nullable(),
  overlap_until: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable().openapi({ description: 'To within some seconds.' }),
})

/** A key without what makes it one. */
export const keySchema = keyFields.openapi('Key')

/** A key that was just made: this is the only time that it is shown. */
export const newKeySchema = keyFields
  .extend({ key: z.string().openapi({ description: 'Shown now and never again.' }) })
  .openapi('NewKey')

/** What is told of a key. */
export function shownKey(record: KeyRecord): z.output<typeof keySchema> {
  return {
    ...{ id: record.id, name: record.name, kind: record.kind },
    ...{ scopes: [...record.scopes], tier: record.tier ?? null },
    created_at: new Date(record.createdAt).toISOString(),
    expires_at: isoOf(record.expiresAt),
    revoked_at: isoOf(record.revokedAt),
    replaced_by: record.replacedBy ?? null,
    overlap_until: isoOf(record.overlapUntil),
    last_used_at: isoOf(record.lastUsedAt),
  }
}

function isoOf(time: number | null | undefined): string | null {
  return time === null || time === undefined ? null : new Date(time).toISOString()
}
