import { type RedisSettingIssue, RedisSettingsError } from './errors.ts'
import type { RedisAddress, RedisOptions, RedisSentinel, RedisTls } from './options.ts'
import type { Revealable } from './secret.ts'
import { parseRedisUrl } from './url.ts'

interface Node {
  readonly host: string
  readonly port: number
}

/** Where to connect to. */
type Target =
  | { readonly kind: 'single'; readonly node: Node }
  | { readonly kind: 'cluster'; readonly nodes: readonly Node[] }
  | {
      readonly kind: 'sentinel'
      readonly nodes: readonly Node[]
      readonly sentinel: RedisSentinel
    }

/** The options, checked and complete. */
export interface Plan {
  readonly target: Target
  /** The target in words, without credentials. */
  readonly where: string
  readonly tls: RedisTls | undefined
  readonly username: string | undefined
  readonly password: string | Revealable | undefined
  readonly database: number
  readonly connectTimeoutMs: number
  readonly commandTimeoutMs: number
  readonly reconnectMaxMs: number
  readonly maxConnections: number
  readonly protocol: 2 | 3
  readonly name: string
  readonly random: () => number
}

/** Completes the options. Throws a `RedisSettingsError` with everything that is wrong. */
export function planOf(options: RedisOptions): Plan {
  const issues: RedisSettingIssue[] = []
  const { sentinel, cluster } = options
  if ([options.url, cluster, sentinel].filter((at) => at !== undefined).length !== 1) {
    issues.push({ setting: 'url', message: 'give exactly one of url, cluster and sentinel' })
  }
  const url = options.url === undefined ? undefined : readUrl(options.url, issues)
  const tls = options.tls === true || (url?.tls && !options.tls) ? {} : options.tls || undefined
  const plan = {
    tls,
    username: url?.username ?? options.username,
    password: url?.password ?? options.password,
    database: url?.database ?? options.database ?? 0,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    commandTimeoutMs: options.commandTimeoutMs ?? 5_000,
    reconnectMaxMs: options.reconnectMaxMs ?? 2_000,
    maxConnections: options.maxConnections ?? 20,
    protocol: options.protocol ?? 3,
    name: options.name ?? 'tidegate',
    random: options.random ?? Math.random,
  } as const
  const target = targetOf(options, url, issues)
  checkNumbers(plan, issues)
  checkRest(plan, target, issues)
  if (target === undefined || issues.length > 0) throw new RedisSettingsError(issues)
  return { ...plan, target, where: describe(target) }
}

function readUrl(url: string | Revealable, issues: RedisSettingIssue[]) {
  const read = parseRedisUrl(typeof url === 'string' ? url : url.reveal())
  if (typeof read !== 'string') return read
  issues.push({ setting: 'url', message: read })
  return undefined
}

function targetOf(
  { cluster, sentinel }: RedisOptions,
  url: Node | undefined,
  issues: RedisSettingIssue[],
): Target | undefined {
  if (cluster !== undefined) {
    return { kind: 'cluster', nodes: nodesOf('cluster', cluster, 6379, issues) }
  }
  if (sentinel !== undefined) {
    if (sentinel.name === '') issues.push({ setting: 'sentinel.name', message: 'is empty' })
    const nodes = nodesOf('sentinel.nodes', sentinel.nodes, 26_379, issues)
    return { kind: 'sentinel', nodes, sentinel }
  }
  if (url === undefined) return undefined
  return { kind: 'single', node: { host: url.host, port: url.port } }
}

function nodesOf(
  setting: string,
  addresses: readonly RedisAddress[],
  usualPort: number,
  issues: RedisSettingIssue[],
): readonly Node[] {
  if (addresses.length === 0) issues.push({ setting, message: 'name at least one node' })
  return addresses.map(({ host, port = usualPort }, index) => {
    if (host === '') issues.push({ setting: `${setting}[${index}].host`, message: 'is empty' })
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      const message = 'has to be a whole number from 1 to 65535'
      issues.push({ setting: `${setting}[${index}].port`, message })
    }
    return { host, port }
  })
}

type Numbers = Pick<
  Plan,
  'connectTimeoutMs' | 'commandTimeoutMs' | 'reconnectMaxMs' | 'maxConnections' | 'database'
>

const lowest: Numbers = {
  connectTimeoutMs: 1,
  commandTimeoutMs: 1,
  reconnectMaxMs: 1,
  maxConnections: 1,
  database: 0,
}
// Timers can't wait longer.
const highest = 2_147_483_647

function checkNumbers(plan: Numbers, issues: RedisSettingIssue[]): void {
  for (const setting of Object.keys(lowest) as (keyof Numbers)[]) {
    const value = plan[setting]
    if (Number.isInteger(value) && value >= lowest[setting] && value <= highest) continue
    const message = `has to be a whole number from ${lowest[setting]} to ${highest}`
    issues.push({ setting, message })
  }
}

function checkRest(
  { protocol, database, tls, username, password }: Omit<Plan, 'target' | 'where'>,
  target: Target | undefined,
  issues: RedisSettingIssue[],
): void {
  if (protocol !== 2 && protocol !== 3) issues.push({ setting: 'protocol', message: 'is 2 or 3' })
  if (database > 0 && target?.kind === 'cluster') {
    issues.push({ setting: 'database', message: 'is 0 on a Cluster; it has no others' })
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    issues.push({ setting: 'tls', message: 'give cert and key together' })
  }
  if (username !== undefined && password === undefined) {
    issues.push({ setting: 'password', message: 'is missing; a username needs one' })
  }
}

function describe(target: Target): string {
  if (target.kind === 'single') return address(target.node)
  const nodes = target.nodes.map(address).join(', ')
  if (target.kind === 'cluster') return `${nodes} (Cluster)`
  return `"${target.sentinel.name}" (Sentinels ${nodes})`
}

function address({ host, port }: Node): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
