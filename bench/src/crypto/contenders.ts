import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/** Measured as built, so that it is what users get. */
const BUILT = new URL('../../../packages/crypto/dist/index.js', import.meta.url)
type Crypto = typeof import('../../../packages/crypto/src/index.ts')

/** A way of sealing or opening the same kilobyte. */
export interface Contender {
  readonly name: string
  /** What else stands in the table with it; the first of a group is what the others are divided by. */
  readonly group: string
  readonly run: () => unknown
}

type Key = Uint8Array | KeyObject
type ToKey = (bytes: Buffer) => Key

const ALGORITHM = 'aes-256-gcm'
const OPTIONS = { authTagLength: 16 }
const plaintext = Buffer.from('a secret of a kilobyte: '.repeat(43)).subarray(0, 1_024)
const asKeyObject: ToKey = (bytes) => createSecretKey(bytes)
const asBytes: ToKey = (bytes) => bytes

/** Each sealing returns what would be stored; each opening starts from that. */
export async function contenders(): Promise<readonly Contender[]> {
  const ours = await tidegate()
  const objects = freshKey(createSecretKey(randomBytes(32)), asKeyObject)
  const bytes = freshKey(randomBytes(32), asBytes)
  const { key, sealed } = staticKey()
  return (['seal', 'open'] as const).flatMap((group) => [
    { group, name: 'bare, a data key for each, wrapped', run: objects[group] },
    { group, name: 'the same, keys as bytes', run: bytes[group] },
    {
      group,
      name: 'bare, one key for all',
      run: group === 'seal' ? () => encrypt(key, plaintext) : () => decrypt(key, sealed),
    },
    { group, name: 'tidegate', run: ours[group] },
  ])
}

async function tidegate() {
  const { createKeyRing, open, seal } = (await import(BUILT.href)) as Crypto
  const ring = createKeyRing({ current: randomBytes(32).toString('base64') })
  const context = { purpose: 'setup.apiKey', tenant: 'acme', row: 'b4b7d9ce-0d7b-4c0e-9d5f' }
  const sealed = seal(ring, plaintext, context)
  return {
    seal: () => seal(ring, plaintext, context),
    open: () => open(ring, sealed, context),
  }
}

function staticKey() {
  const key = createSecretKey(randomBytes(32))
  return { key, sealed: encrypt(key, plaintext) }
}

function freshKey(wrapping: Key, toKey: ToKey) {
  const seal = () => {
    const dataKey = randomBytes(32)
    return { wrapped: encrypt(wrapping, dataKey), sealed: encrypt(toKey(dataKey), plaintext) }
  }
  const kept = seal()
  const open = () => decrypt(toKey(decrypt(wrapping, kept.wrapped)), kept.sealed)
  return { seal, open }
}

interface Sealed {
  readonly iv: Buffer
  readonly text: Buffer
  readonly tag: Buffer
}

function encrypt(key: Key, text: Buffer): Sealed {
  const iv = randomBytes(12)
  const cipher = createCipheriv(ALGORITHM, key, iv, OPTIONS)
  const sealed = cipher.update(text)
  cipher.final()
  return { iv, text: sealed, tag: cipher.getAuthTag() }
}

function decrypt(key: Key, { iv, text, tag }: Sealed): Buffer {
  const decipher = createDecipheriv(ALGORITHM, key, iv, OPTIONS)
  decipher.setAuthTag(tag)
  const opened = decipher.update(text)
  decipher.final()
  return opened
}
