import type { ApiKeyRecord } from '@tidegate/crypto/api-keys'

/** What a key is for: people and programs of a tenant, other services of ours, or whoever sets everything up. */
export const KEY_KINDS = ['client', 'service', 'admin'] as const

export type KeyKind = (typeof KEY_KINDS)[number]

/** What is kept of a key. Times are milliseconds since 1970. */
export interface KeyRecord extends ApiKeyRecord {
  readonly tenant: string
  readonly name: string
  readonly kind: KeyKind
  readonly lastUsedAt: number | null
}
