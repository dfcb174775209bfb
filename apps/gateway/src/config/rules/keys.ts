import { createHash } from 'node:crypto'
import type { Finding } from '@tidegate/config'
import type { GatewayConfig } from '../schema/gateway.ts'
import type { Profile } from '../settings.ts'

/** Below this a key can be guessed by trying. */
const SHORTEST_IN_PRODUCTION = 16

type Keys = GatewayConfig['auth']['keys']

/** What is wrong with clients' keys and the admin key. */
export function checkKeys(config: GatewayConfig, profile: Profile): readonly Finding[] {
  const { keys } = config.auth
  return [
    ...findTwice(
      keys.map(({ id }) => id),
      (index, first) => ({
        path: ['auth', 'keys', index, 'id'],
        message: `auth.keys[${first}] has this id already; logs could not tell them apart`,
      }),
    ),
    ...findTwice(keys.map(digestOf), (index, first) => ({
      path: ['auth', 'keys', index],
      message: `this is the same key as that of auth.keys[${first}]; give each client its own`,
    })),
    ...findAdminReuse(config),
    ...(profile === 'production' ? findShort(config) : []),
  ]
}

function digestOf({ key, sha256 }: Keys[number]): string {
  if (key === undefined) return sha256?.toLowerCase() ?? ''
  return createHash('sha256').update(key.reveal()).digest('hex')
}

function findTwice(
  values: readonly string[],
  describe: (index: number, first: number) => Finding,
): readonly Finding[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value)
    return first === index ? [] : [describe(index, first)]
  })
}

function findAdminReuse({ admin, auth }: GatewayConfig): readonly Finding[] {
  if (admin.key === undefined) return []
  const digest = createHash('sha256').update(admin.key.reveal()).digest('hex')
  const index = auth.keys.findIndex((key) => digestOf(key) === digest)
  if (index === -1) return []
  const message = 'this is the admin key too; a client must not open the gateway’s own endpoints'
  return [{ path: ['auth', 'keys', index], message }]
}

function findShort({ admin, auth }: GatewayConfig): readonly Finding[] {
  const named = [
    { path: ['admin', 'key'], key: admin.key },
    ...auth.keys.map(({ key }, index) => ({ path: ['auth', 'keys', index, 'key'], key })),
  ]
  return named
    .filter(({ key }) => key !== undefined && key.reveal().length < SHORTEST_IN_PRODUCTION)
    .map(({ path }) => ({
      path,
      severity: 'warning',
      message: `is shorter than ${SHORTEST_IN_PRODUCTION} characters and could be guessed`,
    }))
}
