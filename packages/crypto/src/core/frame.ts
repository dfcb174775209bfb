import { CryptoError } from './errors.ts'

/**
 * Writes texts one after the other, each behind its length, so that no two lists of as many texts give the same.
 *
 * @throws CryptoError `invalid_option` if one of them isn't a text of well-formed Unicode: lone surrogates all have the
 *   same bytes in UTF-8
 */
export function frameTexts(texts: readonly string[]): string {
  let framed = ''
  for (const text of texts) {
    if (typeof text !== 'string' || !text.isWellFormed()) {
      throw new CryptoError(
        'invalid_option',
        'Purpose, tenant, row and value have to be texts of well-formed Unicode.',
      )
    }
    framed += `${text.length}:${text}`
  }
  return framed
}
