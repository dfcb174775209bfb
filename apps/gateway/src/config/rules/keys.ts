import { createHash } from 'node:crypto'
import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import type { GatewayConfig } from '../schema/gateway.ts'
import { suggest } from '../suggest.ts'

/** What is wrong with clients' keys and the admin key. */
export const keyRules: readonly Rule<GatewayConfig>[] = [
  findKeyless,
  findSameIds,
  findSameKeys,
  findAdminReuse,
  findShortAdminKey,
  findShortKeys,
  findUnknownTiers,
]

/** Below this a key can be guessed by trying. */
const SHORTEST_IN_PRODUCTION = 16

type Keys = GatewayConfig['auth']['keys']
type Context = Parameters<Rule<GatewayConfig>>[1]

function findKeyless({ auth }: GatewayConfig): readonly Finding[] {
  return eachKnown(auth.keys, ({ key, sha256 }, index) => {
    if ((key === undefined) !== (sha256 === undefined)) return []
    const message =
      key === undefined
        ? 'has neither key nor sha256; give it one'
        : 'has both key and sha256; keep one'
    return [{ path: ['auth', 'keys', index], message }]
  })
}

function findSameIds({ auth }: GatewayConfig): readonly Finding[] {
  const ids = eachKnown(auth.keys, ({ id }, index) => [{ value: id, index }])
  return findTwice(ids, (index, first) => ({
    path: ['auth', 'keys', index, 'id'],
    message: `auth.keys[${first}] has this id already; logs could not tell them apart`,
  }))
}

function findSameKeys({ auth }: GatewayConfig): readonly Finding[] {
  return findTwice(digestsOf(auth.keys), (index, first) => ({
    path: ['auth', 'keys', index],
    message: `this is the same key as that of auth.keys[${first}]; give each client its own`,
  }))
}

interface Numbered {
  readonly value: string
  readonly index: number
}

function digestsOf(keys: Keys): readonly Numbered[] {
  return eachKnown(keys, ({ key, sha256 }, index) => {
    const value = key === undefined ? sha256?.toLowerCase() : digest(key)
    return value === undefined ? [] : [{ value, index }]
  })
}

function digest(key: NonNullable<Keys[number]['key']>): string {
  return createHash('sha256').update(key.reveal()).digest('hex')
}

function findTwice(
  values: readonly Numbered[],
  describe: (index: number, first: number) => Finding,
): readonly Finding[] {
  return values.flatMap((own, at) => {
    const first = values.slice(0, at).find(({ value }) => value === own.value)
    return first === undefined ? [] : [describe(own.index, first.index)]
  })
}

function findAdminReuse({ admin, auth }: GatewayConfig): readonly Finding[] {
  if (admin.key === undefined) return []
  const own = digest(admin.key)
  const message = 'this is the admin key too; a client must not open the gateway’s own endpoints'
  return digestsOf(auth.keys)
    .filter(({ value }) => value === own)
    .slice(0, 1)
    .map(({ index }) => ({ path: ['auth', 'keys', index], message }))
}

function findShortAdminKey({ admin }: GatewayConfig, { profile }: Context): readonly Finding[] {
  return profile === 'production' ? findShort(admin.key, ['admin', 'key']) : []
}

function findShortKeys({ auth }: GatewayConfig, { profile }: Context): readonly Finding[] {
  if (profile !== 'production') return []
  return eachKnown(auth.keys, ({ key }, index) => findShort(key, ['auth', 'keys', index, 'key']))
}

function findShort(key: Keys[number]['key'], path: Finding['path']): readonly Finding[] {
  if (key === undefined || key.reveal().length >= SHORTEST_IN_PRODUCTION) return []
  const message = `is shorter than ${SHORTEST_IN_PRODUCTION} characters and could be guessed`
  return [{ path, severity: 'warning', message }]
}

function findUnknownTiers({ auth, tiers }: GatewayConfig): readonly Finding[] {
  const known = Object.keys(tiers ?? {})
  return eachKnown(auth.keys, ({ tier }, index) => {
    if (tier === undefined || known.includes(tier)) return []
    const suggestion = suggest(tier, known)
    const list = known.length === 0 ? 'there are none under tiers' : `there are ${known.join(', ')}`
    return [
      {
        path: ['auth', 'keys', index, 'tier'],
        message: `there is no tier ${JSON.stringify(tier)}; ${list}`,
        ...(suggestion !== undefined && { suggestion }),
      },
    ]
  })
}
