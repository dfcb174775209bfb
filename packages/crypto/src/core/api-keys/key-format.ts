import { checksumOf, randomBase62 } from '../encoding.ts'
import { CryptoError } from '../errors.ts'

/** 71 bits: two keys with one id are expected after some 10^10 keys. */
const ID_LENGTH = 12
/** 196 bits. */
const SECRET_LENGTH = 33
const CHECKSUM_LENGTH = 6
const TAIL = `[0-9A-Za-z]{${ID_LENGTH}}_[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}`

const WORD = '[a-z][a-z0-9]{0,15}'

/** Why a text is no key of this format. */
export type KeyTextFault = 'malformed' | 'wrong_checksum' | 'other_environment'

/** How keys of one prefix and environment are written: `prefix_env_id_secret` and six characters of checksum. */
export interface KeyFormat {
  /** How long each is. */
  readonly length: number
  /** Whether it is a text of that length. */
  fits(text: string): boolean
  create(): { readonly id: string; readonly text: string }
  /** What is wrong with a text, or nothing. It costs the same for all texts of the right form, right or wrong. */
  faultOf(text: string): KeyTextFault | undefined
  /** The id within a text without a fault. */
  idOf(text: string): string
}

/** @throws CryptoError `invalid_option`. */
export function createKeyFormat(prefix: string, env: string): KeyFormat {
  checkWord('prefix', prefix)
  checkWord('env', env)
  const start = `${prefix}_${env}_`
  const length = start.length + ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH
  const own = new RegExp(`^${start}${TAIL}$`)
  const ofPrefix = new RegExp(`^${prefix}_${WORD}_${TAIL}$`)

  return {
    length,
    fits: (text) => typeof text === 'string' && text.length === length,
    create() {
      const id = randomBase62(ID_LENGTH)
      const unchecked = `${start}${id}_${randomBase62(SECRET_LENGTH)}`
      return { id, text: unchecked + checksumOf(unchecked) }
    },
    faultOf(text) {
      // Hostile text may be of any length, and of any type behind a cast: no expression runs over much of it.
      if (typeof text !== 'string' || text.length > prefix.length + 80) return 'malformed'
      const isOwn = own.test(text)
      if (!isOwn && !ofPrefix.test(text)) return 'malformed'
      if (checksumOf(text.slice(0, -CHECKSUM_LENGTH)) !== text.slice(-CHECKSUM_LENGTH)) {
        return 'wrong_checksum'
      }
      return isOwn ? undefined : 'other_environment'
    },
    idOf: (text) => text.slice(start.length, start.length + ID_LENGTH),
  }
}

function checkWord(option: string, value: string): void {
  if (new RegExp(`^${WORD}$`).test(value)) return
  throw new CryptoError(
    'invalid_option',
    `${option} has to be 1 to 16 lower case letters and digits, a letter first, so that keys can be told by it.`,
  )
}
