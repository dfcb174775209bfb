import { type Check, CheckError, type CheckOutcome } from '../core/check.ts'
import { callable, checkNames, count, ratio } from '../core/option-checks.ts'
import { askOnce } from './asking.ts'

/** What is needed of a client: the `commands` of `@tidegate/redis`, an ioredis client, or a few lines around another. */
export interface RedisCaller {
  /** Sends a command. */
  call(name: string, ...args: string[]): Promise<unknown>
}

/** Options of {@link redisCheck}. */
export interface RedisCheckOptions {
  readonly client: RedisCaller
  /**
   * From which part of `maxmemory` on it is degraded, where Redis evicts nothing and so refuses writes once it
   * is full. Default 0.9.
   */
  readonly maxMemoryRatio?: number | undefined
  /** From how many connected clients on it is degraded. Default: any number is fine. */
  readonly maxClients?: number | undefined
  /** How many replicas a primary needs, or it is degraded. Default 0. */
  readonly minReplicas?: number | undefined
}

/**
 * Looks at a Redis or Valkey: `PING`, then memory, connected clients and replication by `INFO`. Unhealthy
 * when it doesn't answer; degraded when it is nearly full, a replica has lost its primary, or replicas are
 * missing. Where `INFO` is forbidden, that it answers is enough. On a Cluster one node is asked.
 *
 * @throws HealthError `invalid_option`
 */
export function redisCheck(options: RedisCheckOptions): Check {
  checkNames('redisCheck', options, ['client', 'maxMemoryRatio', 'maxClients', 'minReplicas'])
  const { client } = options
  callable('redisCheck: client.call', client?.call)
  const limits: Limits = {
    maxMemoryRatio: ratio('redisCheck: maxMemoryRatio', options.maxMemoryRatio ?? 0.9),
    maxClients: options.maxClients && count('redisCheck: maxClients', options.maxClients, 1),
    minReplicas: count('redisCheck: minReplicas', options.minReplicas ?? 0, 0),
  }
  const ping = askOnce(() => client.call('PING'))
  const info = askOnce(() => client.call('INFO'))
  return async ({ signal }) => {
    const pong = text(await ping(signal).catch((error) => refuse(error)))
    if (pong.toUpperCase() !== 'PONG') {
      throw new CheckError('unexpected_answer', 'PING was not answered with PONG.')
    }
    const told = await info(signal).catch(() => undefined)
    signal.throwIfAborted()
    return told === undefined ? {} : judge(fieldsOf(text(told)), limits)
  }
}

interface Limits {
  readonly maxMemoryRatio: number
  readonly maxClients: number | undefined
  readonly minReplicas: number
}

/**
 * Answers of Redis that are an error begin with a word of capitals: that much may be shown. An error with a
 * code is the client's own, whatever its message begins with, unless it has the word of an answer (`reply`).
 */
function refuse(error: unknown): never {
  const { code, reply, message } = Object(error)
  const answer = typeof reply === 'string' ? reply : code === undefined ? String(message) : ''
  const [, word] = /^([A-Z]{3,20})(?: |$)/.exec(answer) ?? []
  if (word === undefined || word === 'PING') throw error
  throw new CheckError(word, `Redis answered with the error ${word}.`, { cause: error })
}

function text(reply: unknown): string {
  return reply instanceof Uint8Array ? Buffer.from(reply).toString() : String(reply)
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const fields = info.matchAll(/^(\w+):(.*?)\r?$/gm)
  return new Map([...fields].map(([, name = '', value = '']) => [name, value]))
}

function judge(fields: ReadonlyMap<string, string>, limits: Limits): CheckOutcome {
  const number = (name: string): number => Number(fields.get(name) ?? 0)
  const role = fields.get('role') ?? null
  const used = number('used_memory')
  const max = number('maxmemory')
  const clients = number('connected_clients')
  const replicas = number('connected_slaves')
  const linkDown = role === 'slave' && fields.get('master_link_status') === 'down'
  const evicts = fields.get('maxmemory_policy') !== 'noeviction'
  const details = {
    version: fields.get('valkey_version') ?? fields.get('redis_version') ?? null,
    memory_used_bytes: used,
    memory_max_bytes: max === 0 ? null : max,
    connected_clients: clients,
    role: role === 'slave' ? 'replica' : role === 'master' ? 'primary' : role,
    ...(role === 'slave' && { primary_link: linkDown ? 'down' : 'up' }),
    ...(role === 'master' && { connected_replicas: replicas }),
    uptime_seconds: number('uptime_in_seconds'),
  }
  const error = complaint()
  return { status: error === undefined ? 'healthy' : 'degraded', error, details }

  function complaint() {
    if (linkDown) return fault('primary_link_down', 'The replica has lost its primary.')
    if (max > 0 && !evicts && used >= limits.maxMemoryRatio * max) {
      const percent = Math.round((100 * used) / max)
      return fault('memory', `${percent} % of its memory is used; full, it refuses writes.`)
    }
    if (limits.maxClients !== undefined && clients >= limits.maxClients) {
      return fault('clients', `${clients} clients are connected.`)
    }
    if (role === 'master' && replicas < limits.minReplicas) {
      return fault('replicas', `It has ${replicas} of ${limits.minReplicas} replicas.`)
    }
    return undefined
  }
}

function fault(code: string, message: string): { readonly code: string; readonly message: string } {
  return { code, message }
}
