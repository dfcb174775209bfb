import { eachKnown, type Finding, known, type Rule } from '@tidegate/config'
import { isLocalHost } from '../addresses.ts'
import { issuersOf } from '../schema/auth.ts'
import type { GatewayConfig } from '../schema/gateway.ts'
import { repeated } from './repeated.ts'

/** What is wrong with the tokens that are taken. */
export const tokenRules: readonly Rule<GatewayConfig>[] = [
  findUndiscoverable,
  findSameIssuers,
  findNameless,
  findSameNames,
  findPlainHttp,
]

/** Where an issuer stands in the file, which has one or a list of them. */
function pathOf({ auth }: GatewayConfig, index: number, ...rest: string[]): Finding['path'] {
  return Array.isArray(auth.jwt) ? ['auth', 'jwt', index, ...rest] : ['auth', 'jwt', ...rest]
}

function findUndiscoverable(config: GatewayConfig): readonly Finding[] {
  return eachKnown(issuersOf(config.auth), ({ issuer, jwksUrl }, index) => {
    if (jwksUrl !== undefined || isDiscoverable(issuer)) return []
    const message =
      'is no address at which its keys could be discovered; write it as the tokens do, or add jwksUrl'
    return [{ path: pathOf(config, index, 'issuer'), message }]
  })
}

function isDiscoverable(issuer: string): boolean {
  const url = URL.parse(issuer)
  if (url === null || !/^https?:\/\//.test(issuer)) return false
  return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

function findSameIssuers(config: GatewayConfig): readonly Finding[] {
  return repeated(issuersOf(config.auth), ({ issuer }) => issuer).map(({ index }) => ({
    path: pathOf(config, index, 'issuer'),
    message: 'is there already; list all its audiences in one entry',
  }))
}

function findNameless(config: GatewayConfig): readonly Finding[] {
  const issuers = issuersOf(config.auth)
  if (issuers.length < 2) return []
  return eachKnown(issuers, ({ name }, index) => {
    if (name !== undefined) return []
    const message =
      'needs a name beside other issuers, or users of the same name would be taken for one'
    return [{ path: pathOf(config, index), message }]
  })
}

function findSameNames(config: GatewayConfig): readonly Finding[] {
  return repeated(issuersOf(config.auth), ({ name }) => name).map(({ index }) => ({
    path: pathOf(config, index, 'name'),
    message: "is another issuer's already; give each its own",
  }))
}

function findPlainHttp(
  config: GatewayConfig,
  { profile }: Parameters<Rule<GatewayConfig>>[1],
): readonly Finding[] {
  if (profile !== 'production' && profile !== 'staging') return []
  const issuers = eachKnown(issuersOf(config.auth), ({ issuer, jwksUrl }, index) =>
    isPlain(jwksUrl ?? issuer)
      ? [
          {
            path: pathOf(config, index, jwksUrl === undefined ? 'issuer' : 'jwksUrl'),
            severity: 'warning' as const,
            message: 'is fetched over http: whoever is on the way can vouch for anybody; use https',
          },
        ]
      : [],
  )
  const url = known(() => config.auth.introspection?.url)
  if (url === undefined || !isPlain(url)) return issuers
  const message = 'is asked over http, which shows tokens and the secret on the way; use https'
  return [...issuers, { path: ['auth', 'introspection', 'url'], severity: 'warning', message }]
}

function isPlain(address: string): boolean {
  const url = URL.parse(address)
  return url?.protocol === 'http:' && !isLocalHost(url.hostname.replace(/^\[|\]$/g, ''))
}
