import { resolveSrv, resolveTxt } from 'node:dns/promises'
import { CheckError } from '../../core/check.ts'
import { abortable } from '../asking.ts'
import type { Member, MongoAddress } from './connection-string.ts'

/** What looks names up: `node:dns/promises`, or what does the same. */
export interface SrvResolver {
  resolveSrv(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>
  resolveTxt(name: string): Promise<readonly (readonly string[])[]>
}

/** Members, and how they are to be talked to. */
export interface Seeds {
  readonly members: readonly Member[]
  readonly loadBalanced: boolean
}

const systemResolver: SrvResolver = { resolveSrv, resolveTxt }

/** The members that a connection string names, itself or by way of DNS. */
export async function findMembers(
  address: MongoAddress,
  signal: AbortSignal,
  resolver: SrvResolver = systemResolver,
): Promise<Seeds> {
  const { srv, members, loadBalanced } = address
  if (srv === undefined) return { members, loadBalanced }
  const [records, options] = await abortable(
    Promise.all([
      resolver.resolveSrv(`_${srv.service}._tcp.${srv.host}`),
      resolver.resolveTxt(srv.host).catch(() => []),
    ]),
    signal,
  )
  // Or else whoever can change one answer of DNS could send us anywhere.
  const domain = srv.host.split('.').length > 2 ? srv.host.replace(/^[^.]+/, '') : `.${srv.host}`
  const found = records.map(({ name, port }) => ({ host: name.replace(/\.$/, ''), port }))
  if (
    found.length === 0 ||
    !found.every(({ host }) => host.toLowerCase().endsWith(domain.toLowerCase()))
  ) {
    throw new CheckError('srv', 'DNS lists no members, or some of another domain.')
  }
  const text = options.flat().join('')
  return { members: found, loadBalanced: loadBalanced || /\bloadBalanced=true\b/.test(text) }
}
