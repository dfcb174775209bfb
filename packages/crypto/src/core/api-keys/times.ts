import { CryptoError } from '../errors.ts'

interface Lifetime {
  readonly notBefore?: number | null
  readonly expiresAt?: number | null
}

/** Refuses times that are no moments, and keys that never work. */
export function checkLifetime({ notBefore, expiresAt }: Lifetime, now: number): void {
  checkWhole('notBefore', notBefore)
  checkWhole('expiresAt', expiresAt)
  const start = Math.max(now, notBefore ?? now)
  if (typeof expiresAt === 'number' && expiresAt <= start) {
    throw new CryptoError(
      'invalid_option',
      `expiresAt has to be later than ${new Date(start).toISOString()}: the key would never work.`,
    )
  }
}

/** Refuses what is no length of time. */
export function checkOverlap(overlapMs: number): void {
  checkWhole('overlapMs', overlapMs)
  if (overlapMs === undefined || overlapMs === null) {
    throw new CryptoError('invalid_option', 'overlapMs is missing; 0 ends the old key at once.')
  }
}

function checkWhole(option: string, value: number | null | undefined): void {
  if (value === undefined || value === null) return
  // The last moment that a Date can hold, so that messages and databases can.
  if (Number.isSafeInteger(value) && value >= 0 && value <= 8.64e15) return
  const given = typeof value === 'number' ? String(value) : `a ${typeof value}`
  throw new CryptoError(
    'invalid_option',
    `${option} is ${given}; it has to be a whole number of milliseconds.`,
  )
}
