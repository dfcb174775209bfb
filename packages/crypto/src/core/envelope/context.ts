import { CryptoError } from '../errors.ts'
import { frameTexts } from '../frame.ts'

/**
 * What an envelope belongs to. It isn't stored in the envelope: it opens only for whoever names the same one, so an
 * envelope that was copied to another row, tenant or column is of no use there. Compared exactly, byte by byte.
 */
export interface SealContext {
  /** What the value is, such as `setup-configuration.apiKey`. */
  readonly purpose: string
  /** Whose it is. */
  readonly tenant: string
  /** Where it is kept: the row's id. */
  readonly row: string
}

/**
 * The context as a text that no other context has, also not in UTF-8.
 *
 * @throws CryptoError `invalid_option` if a part is empty, missing or not well-formed Unicode
 */
export function encodeContext({ purpose, tenant, row }: SealContext): string {
  if (!(purpose && tenant && row)) {
    throw new CryptoError('invalid_option', 'A context needs a purpose, a tenant and a row.')
  }
  return frameTexts([purpose, tenant, row])
}
