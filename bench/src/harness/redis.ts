import { Redis } from 'ioredis'
import { sleep } from './clock.ts'
import { freePort, Running } from './processes.ts'

/** What a Redis had done at a moment. */
export interface Work {
  /** Scripts that clients asked for: each is one command that travels. */
  readonly scripts: number
  /** What those scripts called, and whatever else was asked. */
  readonly others: number
  /** Its processor time in microseconds. */
  readonly cpuUs: number
}

/** A Redis of this run, and how it is doing. */
export interface BenchRedis {
  readonly url: string
  readonly version: string
  readonly work: () => Promise<Work>
  readonly flush: () => Promise<unknown>
  readonly stop: () => Promise<void>
}

/** Starts a real Redis on loopback, free to run on any core. */
export async function startRedis(): Promise<BenchRedis> {
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = new Running('redis', { file: 'redis-server', args }, undefined)
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => undefined)
  await connected(client, server)
  const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? '?'
  return {
    url: `redis://127.0.0.1:${port}`,
    version,
    work: async () => workOf(await client.info('commandstats', 'cpu')),
    flush: () => client.flushall(),
    stop: async () => {
      client.disconnect()
      await server.stop()
    },
  }
}

async function connected(client: Redis, server: Running): Promise<void> {
  for (let tries = 200; server.alive && tries > 0; tries--) {
    const reached = await client.connect().then(
      () => true,
      () => false,
    )
    if (reached) return
    await sleep(25)
  }
  throw new Error(`redis-server did not start.\n${server.errors()}`)
}

const CLIENT_ONLY = /^(?:evalsha|eval|fcall)$/

function workOf(info: string): Work {
  const counts = [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(
    ([, name = '', calls]) => [name, Number(calls)] as const,
  )
  const sum = (which: (name: string) => boolean) =>
    counts.reduce((total, [name, calls]) => total + (which(name) ? calls : 0), 0)
  const cpu = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1])
  return {
    scripts: sum((name) => CLIENT_ONLY.test(name)),
    others: sum((name) => !CLIENT_ONLY.test(name) && name !== 'info'),
    cpuUs: (cpu('used_cpu_user') + cpu('used_cpu_sys')) * 1e6,
  }
}
