import { wrong } from '../../core/option-checks.ts'

/** A member to be asked: by address, or by the path of its socket. */
export type Member = { readonly host: string; readonly port: number } | { readonly path: string }

/** What is needed of a connection string. User and password aren't: `hello` is answered without them. */
export interface MongoAddress {
  readonly members: readonly Member[]
  /** For `mongodb+srv`: the name under which DNS lists the members. */
  readonly srv: { readonly host: string; readonly service: string } | undefined
  readonly tls: boolean
  readonly verify: boolean
  readonly caFile: string | undefined
  readonly loadBalanced: boolean
}

const DEFAULT_PORT = 27_017

/**
 * Reads a connection string of MongoDB. Errors don't show it: it may hold a password.
 *
 * @throws HealthError `invalid_option`
 */
export function parseConnectionString(uri: string): MongoAddress {
  const [, srv, rest = ''] = /^mongodb(\+srv)?:\/\/(.+)$/s.exec(uri) ?? []
  if (rest === '') throw unreadable('a text that begins with mongodb:// or mongodb+srv://')
  const [, authority = '', query = ''] = /^([^/?]*)(?:\/[^?]*)?(?:\?(.*))?$/s.exec(rest) ?? []
  const hosts = authority.slice(authority.lastIndexOf('@') + 1).split(',')
  const options = new Map(
    [...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value]),
  )
  const isOn = (name: string): boolean => options.get(name) === 'true'
  const told = options.get('tls') ?? options.get('ssl')
  const common = {
    tls: told === undefined ? srv !== undefined : told === 'true',
    verify: !isOn('tlsinsecure') && !isOn('tlsallowinvalidcertificates'),
    caFile: options.get('tlscafile'),
    loadBalanced: isOn('loadbalanced'),
  }
  if (srv === undefined) return { members: hosts.map(memberOf), srv: undefined, ...common }
  const [host = '', second] = hosts
  if (second !== undefined || !/^[\w-]+(\.[\w-]+)+$/.test(host)) {
    throw unreadable('a text with one name of a host, and no port, after mongodb+srv://')
  }
  const service = options.get('srvservicename') ?? 'mongodb'
  return { members: [], srv: { host, service }, ...common }
}

function memberOf(text: string): Member {
  if (text.endsWith('.sock')) return { path: decodeURIComponent(text) }
  const [, bracketed, plain, port] =
    /^(?:\[([\da-f:.]+)\]|([^:[\]@\s]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = bracketed ?? plain
  const number = port === undefined ? DEFAULT_PORT : Number(port)
  if (host === undefined || number < 1 || number > 65_535) {
    throw unreadable('a text whose hosts are names or addresses, with ports from 1 to 65535')
  }
  return { host, port: number }
}

function unreadable(wanted: string): Error {
  return wrong('mongodbCheck: uri', undefined, wanted)
}
