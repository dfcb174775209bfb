import type { ConnectionOptions } from 'node:tls'
import { type RedisOptions as ClientOptions, Cluster, Redis } from 'ioredis'
import { nodeConnector } from './node-connector.ts'
import type { RedisRole, RedisTls } from './options.ts'
import type { Plan } from './plan.ts'
import { reveal } from './secret.ts'

/** A client of either kind. */
export type Client = Redis | Cluster

const keepAliveMs = 10_000
// A peer that hangs never closes its side: that is waited for no longer than this.
const disconnectTimeoutMs = 500
const retryDelayMs = 100

/** Makes a client that hasn't connected yet. */
export function makeClient(plan: Plan, role: RedisRole, silenceMs: number): Client {
  const { target } = plan
  const delay = (attempt: number) => reconnectDelay(plan, attempt)
  const common = commonOptions(plan, role, silenceMs)
  if (target.kind === 'single') {
    return new Redis({ ...common, ...target.node, retryStrategy: delay, reconnectOnError })
  }
  if (target.kind === 'sentinel') {
    return new Redis({ ...common, ...sentinelOptions(plan, target), retryStrategy: delay })
  }
  if (role === 'subscriber') {
    const Connector = nodeConnector(target.nodes, common.tls)
    return new Redis({ ...common, Connector, retryStrategy: delay })
  }
  return new Cluster([...target.nodes], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: delay,
    // Here a broken connection would mean sending again what may have run.
    retryDelayOnFailover: 0,
    // These two are refusals: the command hasn't run.
    retryDelayOnClusterDown: retryDelayMs,
    retryDelayOnTryAgain: retryDelayMs,
    slotsRefreshTimeout: plan.connectTimeoutMs,
    // Names stay names, or no certificate would be for them.
    ...(common.tls ? { dnsLookup: (name, done) => done(null, name) } : {}),
    redisOptions: common,
  })
}

/** Full jitter under a doubling limit: many clients that lost the same server don't return as one. */
function reconnectDelay({ random, reconnectMaxMs }: Plan, attempt: number): number {
  const limit = Math.min(reconnectMaxMs, 50 * 2 ** Math.min(attempt, 20))
  return Math.max(1, Math.round(random() * limit))
}

function commonOptions(plan: Plan, role: RedisRole, silenceMs: number) {
  const { username, password, tls } = plan
  return {
    lazyConnect: true,
    db: plan.database,
    protocol: plan.protocol,
    connectionName: `${plan.name}-${role}`,
    connectTimeout: plan.connectTimeoutMs,
    ...(role === 'blocking' ? {} : { commandTimeout: plan.commandTimeoutMs }),
    // A server that is silent for so long while something waits for it is given up.
    socketTimeout: silenceMs,
    disconnectTimeout: disconnectTimeoutMs,
    keepAlive: keepAliveMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // What was under way when a connection broke fails at once. More than 0 would leave it hanging.
    maxRetriesPerRequest: 0,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: reveal(password) }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
  } satisfies ClientOptions
}

function tlsOptions({ ca, cert, key, servername }: RedisTls): ConnectionOptions {
  return {
    // Also where the process was told to trust anybody.
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: reveal(key) }),
    ...(servername === undefined ? {} : { servername }),
  }
}

function sentinelOptions(
  plan: Plan,
  { nodes, sentinel }: Extract<Plan['target'], { kind: 'sentinel' }>,
) {
  const { username, password, tls } = sentinel
  return {
    sentinels: [...nodes],
    name: sentinel.name,
    role: 'master' as const,
    sentinelRetryStrategy: (attempt: number) => reconnectDelay(plan, attempt),
    sentinelCommandTimeout: plan.connectTimeoutMs,
    reconnectOnError,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: reveal(password) }),
    ...(tls === undefined ? {} : { sentinelTLS: tlsOptions(tls === true ? {} : tls) }),
    ...(plan.tls === undefined ? {} : { enableTLSForSentinelMode: true }),
  } satisfies ClientOptions
}

/** A primary that became a replica refuses writes: connect anew, and find the primary by that. */
function reconnectOnError({ message }: Error): boolean {
  return message.startsWith('READONLY')
}
