import { hkdfSync, timingSafeEqual } from 'node:crypto'
import { toBase64Url } from '../encoding.ts'
import { revealSecret, type SecretSource } from '../secret.ts'
import { createFixedMac, type FixedMac } from './fixed-mac.ts'

const MAC_LENGTH = 32
/** Six bytes as base64url, and a full stop. */
const NAME_LENGTH = 9
const DIGEST_LENGTH = NAME_LENGTH + 43

/** What became of comparing a key with what is stored of it. */
type DigestMatch = 'current' | 'previous' | 'mismatch' | 'other_pepper'

/** Makes and compares what is stored of keys: `<name of the pepper>.<base64url of the HMAC-SHA256>`. */
export interface Digests {
  of(text: string): string
  /** Compares in constant time. With no digest it takes as long as with one, and nothing matches. */
  match(text: string, digest: string | undefined): DigestMatch
}

/** A pepper that took the place of others. */
export interface Peppers {
  readonly current: string | SecretSource
  /** Those that stored digests may still be of. Default: none. */
  readonly previous?: string | SecretSource | readonly (string | SecretSource)[] | undefined
}

interface Pepper {
  /** What digests of it start with. It tells peppers apart and says nothing about them. */
  readonly name: string
  readonly mac: FixedMac
}

/** @throws CryptoError `weak_secret`, `invalid_option`. */
export function createDigests(peppers: string | SecretSource | Peppers, length: number): Digests {
  const { current: source, previous = [] } = isPeppers(peppers) ? peppers : { current: peppers }
  const current = createPepper(source, 'The pepper', length)
  const older = [previous].flat().map((one) => createPepper(one, 'A previous pepper', length))
  const all = [current, ...older]
  const [made, stored] = [Buffer.alloc(MAC_LENGTH), Buffer.alloc(MAC_LENGTH)]

  return {
    of(text) {
      current.mac(text, made)
      return current.name + toBase64Url(made)
    },
    match(text, digest) {
      // What a database gives may be of any type behind a cast.
      const isText = typeof digest === 'string'
      const pepper = isText ? all.find(({ name }) => digest.startsWith(name)) : undefined
      const isWhole =
        isText &&
        digest.length === DIGEST_LENGTH &&
        stored.write(digest.slice(NAME_LENGTH), 'base64url') === MAC_LENGTH
      const { mac } = pepper ?? current
      mac(text, made)
      const isSame = timingSafeEqual(made, stored)
      if (digest !== undefined && !pepper) return 'other_pepper'
      if (!(isWhole && isSame)) return 'mismatch'
      return pepper === current ? 'current' : 'previous'
    },
  }
}

function isPeppers(given: string | SecretSource | Peppers): given is Peppers {
  return typeof given === 'object' && given !== null && 'current' in given
}

function createPepper(source: string | SecretSource, name: string, length: number): Pepper {
  const secret = revealSecret(source, name)
  const derive = (use: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `tidegate/api-keys/1/${use}`, bytes))
  return {
    name: `${toBase64Url(derive('name', 6))}.`,
    mac: createFixedMac(derive('digest', 32), length),
  }
}
