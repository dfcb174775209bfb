import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
} from 'drizzle-orm/pg-core'

/** What a `jsonb` column may hold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json }

/** An object of such values. */
export type JsonObject = { readonly [key: string]: Json }

// JavaScript's clock knows no more than milliseconds: what is read equals what was written.
const instant = (name: string) =>
  timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

/** Those whose rows are kept apart from each other's. */
export const tenants = pgTable('tenants', {
  id: text().primaryKey(),
  name: text().notNull(),
  createdAt: instant('created_at').notNull(),
})

/** Keys of the API: their digests, never the keys. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: text().primaryKey(),
    tenant: text()
      .notNull()
      .references(() => tenants.id),
    name: text().notNull(),
    kind: text().notNull(),
    digest: text().notNull(),
    pepperId: text('pepper_id').notNull(),
    scopes: jsonb().$type<readonly string[]>().notNull(),
    tier: text(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
    overlapUntil: instant('overlap_until'),
    replacedBy: text('replaced_by'),
    lastUsedAt: instant('last_used_at'),
  },
  (table) => [index('api_keys_by_tenant').on(table.tenant, table.createdAt, table.id)],
)

/** Named settings of providers and services; their secret fields are sealed. */
export const setupConfigurations = pgTable(
  'setup_configurations',
  {
    id: text().primaryKey(),
    tenant: text()
      .notNull()
      .references(() => tenants.id),
    name: text().notNull(),
    provider: text().notNull(),
    public: jsonb().$type<JsonObject>().notNull(),
    sealed: text(),
    version: integer().notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    unique('setup_configurations_name').on(table.tenant, table.name),
    index('setup_configurations_by_tenant').on(table.tenant, table.createdAt, table.id),
  ],
)

/** Each version that a setup configuration ever had, the current one too. */
export const setupConfigurationVersions = pgTable(
  'setup_configuration_versions',
  {
    configurationId: text('configuration_id').notNull(),
    version: integer().notNull(),
    tenant: text().notNull(),
    name: text().notNull(),
    provider: text().notNull(),
    public: jsonb().$type<JsonObject>().notNull(),
    sealed: text(),
    changedBy: text('changed_by').notNull(),
    changedAt: instant('changed_at').notNull(),
  },
  (table) => [
    primaryKey({
      name: 'setup_configuration_versions_key',
      columns: [table.configurationId, table.version],
    }),
    foreignKey({
      name: 'setup_configuration_versions_of',
      columns: [table.configurationId],
      foreignColumns: [setupConfigurations.id],
    }).onDelete('cascade'),
  ],
)

/** The audit log: one chain of hashes per database, without gaps. */
export const auditRecords = pgTable(
  'audit_records',
  {
    seq: bigint({ mode: 'number' }).primaryKey(),
    at: instant('at').notNull(),
    tenant: text().notNull(),
    type: text().notNull(),
    actor: text().notNull(),
    details: jsonb().$type<JsonObject>().notNull(),
    ip: text(),
    requestId: text('request_id'),
    prevHash: text('prev_hash').notNull(),
    hash: text().notNull(),
  },
  (table) => [
    index('audit_records_by_tenant').on(table.tenant, table.seq),
    index('audit_records_by_type').on(table.tenant, table.type, table.seq),
    index('audit_records_by_actor').on(table.tenant, table.actor, table.seq),
    index('audit_records_by_time').on(table.tenant, table.at),
  ],
)

/** Signed statements of where the chain stood, which a later change can't go around. */
export const auditCheckpoints = pgTable(
  'audit_checkpoints',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    seq: bigint({ mode: 'number' }).notNull(),
    hash: text().notNull(),
    at: instant('at').notNull(),
    keyId: text('key_id').notNull(),
    signature: text().notNull(),
    reason: text().notNull(),
  },
  (table) => [index('audit_checkpoints_by_seq').on(table.seq)],
)

/** The last record's number and hash, in one row: whoever appends locks it. */
export const auditHead = pgTable(
  'audit_head',
  {
    id: integer().primaryKey(),
    seq: bigint({ mode: 'number' }).notNull(),
    hash: text().notNull(),
  },
  (table) => [check('audit_head_is_one_row', sql`${table.id} = 1`)],
)

/** Answers given to creates that named a key, for those who ask again. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    tenant: text().notNull(),
    key: text().notNull(),
    method: text().notNull(),
    path: text().notNull(),
    requestHash: text('request_hash').notNull(),
    /** Null while the first request is under way. */
    status: integer(),
    headers: jsonb().$type<Readonly<Record<string, string>>>(),
    body: text(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'idempotency_keys_key', columns: [table.tenant, table.key] }),
    index('idempotency_keys_by_expiry').on(table.expiresAt),
  ],
)

/** Which secrets the data are sealed with: a start with another one is noticed. */
export const secretFingerprints = pgTable('secret_fingerprints', {
  fingerprint: text().primaryKey(),
  firstSeenAt: instant('first_seen_at').notNull(),
})

/** Every table, in the order in which an import would fill them. */
export const tables = [
  tenants,
  apiKeys,
  setupConfigurations,
  setupConfigurationVersions,
  auditRecords,
  auditCheckpoints,
  auditHead,
  idempotencyKeys,
  secretFingerprints,
] as const
