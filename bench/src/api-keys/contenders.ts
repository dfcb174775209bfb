import { createHmac, createSecretKey, hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Measured as built, so that it is what users get. */
const BUILT = new URL('../../../packages/crypto/dist/api-keys.js', import.meta.url)
type ApiKeysDoor = typeof import('../../../packages/crypto/src/api-keys.ts')

/** A way of telling whether a key that came with a request is right. */
export interface Contender {
  readonly name: string
  /** What it does, for the table. */
  readonly does: string
  /** Whether the `i`th key is taken; all but those of `junk` have to be. */
  readonly verify: (i: number) => boolean
}

const KEYS = 10_000

/** All look up the same keys by their ids, and find the digest that each of them stores. */
export async function contenders(): Promise<readonly Contender[]> {
  const { createApiKeys } = (await import(BUILT.href)) as ApiKeysDoor
  const pepper = randomBytes(32).toString('base64')
  const keys = createApiKeys({ prefix: 'tg', env: 'live', pepper })
  const made = Array.from({ length: KEYS }, () => keys.generate({ scopes: ['configs:read'] }))
  const texts = made.map(({ key }) => key)
  const at = (i: number) => texts[i % KEYS] ?? ''
  const records = new Map(made.map(({ record }) => [record.id, record]))
  const macKey = createSecretKey(randomBytes(32))

  return [
    {
      name: 'tidegate',
      does: 'form, checksum, HMAC, comparison, expiry',
      verify(i) {
        const text = at(i)
        const parsed = keys.parse(text)
        return parsed.ok && keys.verify(text, records.get(parsed.id)).ok
      },
    },
    {
      name: 'tidegate, a mistyped key',
      does: 'form and checksum; no lookup',
      verify: (i) => keys.parse(`${at(i).slice(0, -1)}-`).ok,
    },
    bare('createHmac', 'HMAC and comparison', at, texts, (text) =>
      createHmac('sha256', macKey).update(text).digest(),
    ),
    bare('hash', 'SHA-256 without a key, and comparison', at, texts, (text) =>
      hash('sha256', text, 'buffer'),
    ),
  ]
}

function bare(
  name: string,
  does: string,
  at: (i: number) => string,
  texts: readonly string[],
  digest: (text: string) => Buffer,
): Contender {
  const idOf = (text: string) => text.slice(8, 20)
  const digests = new Map(texts.map((text) => [idOf(text), digest(text)]))
  return {
    name: `bare ${name}`,
    does,
    verify(i) {
      const text = at(i)
      const stored = digests.get(idOf(text))
      return stored !== undefined && timingSafeEqual(digest(text), stored)
    },
  }
}
