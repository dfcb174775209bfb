import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { freePort } from '../net/free-port.ts'
import { pollUntil } from '../process/waiting.ts'
import { requireProgram } from './binaries.ts'
import { type RedisServer, startRedis } from './redis.ts'

const run = promisify(execFile)
const masters = 3
const formingTimeoutMs = 20_000

/** A Redis Cluster of three masters and no replica. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[]
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** The node that serves a key's slot now. */
  readonly ownerOf: (key: string) => Promise<RedisServer>
  /** Hands a key's slot, with what is in it, to another node, and returns that one. */
  readonly moveSlotOf: (key: string) => Promise<RedisServer>
}

async function startNode(): Promise<RedisServer> {
  const busPort = await freePort()
  const args = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf']
  const cluster = ['--cluster-node-timeout', '2000', '--cluster-port', String(busPort)]
  return await startRedis({ args: [...args, ...cluster] })
}

async function form(nodes: readonly RedisServer[]): Promise<void> {
  const programs = ['redis-cli', 'valkey-cli']
  const cli = await requireProgram({ programs, debianPackage: 'redis-tools' })
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  const create = ['--cluster', 'create', ...addresses, '--cluster-yes']
  await run(cli, create, { timeout: formingTimeoutMs })
  const agree = async () => {
    const infos = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')))
    return infos.every((info) => String(info).includes('cluster_state:ok'))
  }
  const describe = () => 'the Redis Cluster did not come together'
  await pollUntil(agree, { timeoutMs: formingTimeoutMs, describe })
}

/** Starts three Redis servers on 127.0.0.1 and makes a Cluster of them. */
export async function startRedisCluster(): Promise<RedisCluster> {
  await using stack = new AsyncDisposableStack()
  const nodes: RedisServer[] = []
  for (let index = 0; index < masters; index += 1) nodes.push(stack.use(await startNode()))
  await form(nodes)
  const ownerOf = async (key: string) => {
    const owners = await Promise.all(nodes.map((node) => owns(node, key)))
    const owner = nodes[owners.indexOf(true)]
    if (owner === undefined) throw new Error(`no node of the Cluster serves ${key}`)
    return owner
  }
  const kept = stack.move()
  return {
    nodes,
    addresses: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    ownerOf,
    moveSlotOf: async (key) => await moveSlot(nodes, await ownerOf(key), key),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}

async function owns(node: RedisServer, key: string): Promise<boolean> {
  // A command that needs the key is answered by its owner, and MOVED by the others.
  const answered = await node.command('EXISTS', key).catch((error: unknown) => error)
  return !(answered instanceof Error)
}

async function moveSlot(
  nodes: readonly RedisServer[],
  from: RedisServer,
  key: string,
): Promise<RedisServer> {
  const to = nodes.find((node) => node !== from)
  if (to === undefined) throw new Error('a Cluster of one node has no other')
  const slot = String(await from.command('CLUSTER', 'KEYSLOT', key))
  const fromId = String(await from.command('CLUSTER', 'MYID'))
  const toId = String(await to.command('CLUSTER', 'MYID'))
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
  const keys = await from.command('CLUSTER', 'GETKEYSINSLOT', slot, '1000')
  if (Array.isArray(keys) && keys.length > 0) {
    const target = ['127.0.0.1', String(to.port), '', '0', '5000']
    await from.command('MIGRATE', ...target, 'KEYS', ...keys.map(String))
  }
  for (const node of [to, from, ...nodes.filter((other) => other !== to && other !== from)]) {
    await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
  }
  return to
}
