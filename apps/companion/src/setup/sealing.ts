import { isCryptoError, type KeyRing, openText, type SealContext, seal } from '@tidegate/crypto'
import { CompanionError } from '../problems.ts'

/** Secrets by the names of their fields. */
export type Secrets = Readonly<Record<string, string>>

/** Where an envelope belongs: it opens nowhere else, and in no other version. */
interface Place {
  readonly tenant: string
  readonly id: string
  readonly version: number
}

/** Seals the secrets of a version; null when there are none. */
export function sealSecrets(ring: KeyRing, secrets: Secrets, place: Place): string | null {
  if (Object.keys(secrets).length === 0) return null
  return seal(ring, JSON.stringify(secrets), contextOf(place))
}

/** @throws CompanionError `secret_unreadable` */
export function openSecrets(ring: KeyRing, sealed: string | null, place: Place): Secrets {
  if (sealed === null) return {}
  try {
    return JSON.parse(openText(ring, sealed, contextOf(place)))
  } catch (error) {
    if (!isCryptoError(error)) throw error
    const message = 'The secrets of this setup configuration can not be opened.'
    throw new CompanionError('secret_unreadable', message, { cause: error })
  }
}

function contextOf({ tenant, id, version }: Place): SealContext {
  return { purpose: 'setup-configuration', tenant, row: `${id}@${version}` }
}
