import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../net/free-port.ts'
import { ManagedProcess } from '../process/child.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { pollUntil } from '../process/waiting.ts'
import { requireProgram } from './binaries.ts'
import { type RedisServer, startRedis } from './redis.ts'
import { sendRedisCommand } from './redis-wire.ts'

const sentinels = 3
const quorum = 2
const settlingTimeoutMs = 20_000

interface Address {
  readonly host: string
  readonly port: number
}

/** A primary and a replica, with three Sentinels that watch over them. */
export interface RedisSentinels extends AsyncDisposable {
  /** What the Sentinels call the primary. */
  readonly name: string
  /** Where the Sentinels listen. */
  readonly addresses: readonly Address[]
  /** The server that was the primary at the start, and its replica. */
  readonly primary: RedisServer
  readonly replica: RedisServer
  /** The port of the primary, as a Sentinel sees it now. */
  readonly primaryPort: () => Promise<number>
}

async function startSentinel(primaryPort: number, name: string) {
  const programs = ['redis-server', 'valkey-server']
  const command = await requireProgram({ programs, debianPackage: 'redis-server' })
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('sentinel'))
  const port = await freePort()
  const file = join(folder.path, 'sentinel.conf')
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder.path}`,
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 3000`,
  ]
  await writeFile(file, `${settings.join('\n')}\n`)
  const env = { PATH: process.env.PATH ?? '' }
  stack.use(new ManagedProcess({ command, args: [file, '--sentinel'], env }))
  return { address: { host: '127.0.0.1', port }, stack: stack.move() }
}

/** Whether a Sentinel knows the replica and both other Sentinels: only then can it fail over. */
async function isSettled(address: Address, name: string): Promise<boolean> {
  try {
    const replicas = await sendRedisCommand(address, ['SENTINEL', 'REPLICAS', name], 1_000)
    const others = await sendRedisCommand(address, ['SENTINEL', 'SENTINELS', name], 1_000)
    return lengthOf(replicas) === 1 && lengthOf(others) === sentinels - 1
  } catch {
    return false
  }
}

function lengthOf(reply: unknown): number {
  return Array.isArray(reply) ? reply.length : 0
}

/** Starts a primary, its replica and three Sentinels on 127.0.0.1, ready to fail over. */
export async function startRedisSentinels(): Promise<RedisSentinels> {
  const name = 'tide'
  await using stack = new AsyncDisposableStack()
  const primary = stack.use(await startRedis({ own: true }))
  const args = ['--replicaof', `127.0.0.1 ${primary.port}`]
  const replica = stack.use(await startRedis({ args }))
  const synced = async () => String(await replica.command('INFO')).includes('master_link_status:up')
  const timeoutMs = settlingTimeoutMs
  await pollUntil(synced, { timeoutMs, describe: () => 'the replica did not synchronise' })
  const addresses: Address[] = []
  for (let index = 0; index < sentinels; index += 1) {
    const sentinel = await startSentinel(primary.port, name)
    stack.use(sentinel.stack)
    addresses.push(sentinel.address)
  }
  const settled = async () => {
    const all = await Promise.all(addresses.map((address) => isSettled(address, name)))
    return all.every(Boolean)
  }
  await pollUntil(settled, { timeoutMs, describe: () => 'the Sentinels did not find each other' })
  const kept = stack.move()
  return {
    ...{ name, addresses, primary, replica },
    primaryPort: async () => await askPrimaryPort(addresses, name),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}

async function askPrimaryPort(addresses: readonly Address[], name: string): Promise<number> {
  const [address] = addresses
  if (address === undefined) throw new Error('there is no Sentinel to ask')
  const words = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]
  const reply = await sendRedisCommand(address, words)
  return Array.isArray(reply) ? Number(reply[1]) : Number.NaN
}
