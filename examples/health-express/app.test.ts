import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, ManagedProcess, pollUntil, startRedis } from '@tidegate/testkit'

const server = fileURLToPath(new URL('server.ts', import.meta.url))

/** The server as `npm start` runs it, on a port of its own. */
async function start(env: Record<string, string> = {}) {
  const port = await freePort()
  const log: string[] = []
  const child = new ManagedProcess({
    command: process.execPath,
    args: [server],
    env: { PORT: String(port), ADMIN_KEY: 'right', ...env },
    onStdout: (text) => void log.push(text),
  })
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  await until('it did not listen', async () => log.join('').includes('listening'))
  return {
    ask,
    child,
    async [Symbol.asyncDispose]() {
      child.signal('SIGKILL')
      await child.exit
    },
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  await pollUntil(holds, { describe: () => what, timeoutMs: 20_000 })
}

const operator = { headers: { 'x-admin-key': 'right' } }

test('everybody is told how it stands, an operator why', async () => {
  await using shop = await start()
  assert.deepEqual((await shop.ask('/readyz')).body, { status: 'ready' })
  const everybody = await shop.ask('/health')
  assert.equal('components' in everybody.body, false)
  const { body } = await shop.ask('/health', operator)
  assert.deepEqual(Object.keys(body.components as object), ['memory', 'disk'])
  assert.equal('cpu_ratio' in (body.system as object), true)
})

test('without Redis it is degraded, and takes orders all the same', async () => {
  await using redis = await startRedis({ own: true })
  await using shop = await start({ REDIS_URL: redis.url })
  const redisIs = async () => {
    const { components } = (await shop.ask('/health', operator)).body
    return (components as Record<string, { status: string }>).redis?.status
  }
  await until('Redis is not healthy', async () => (await redisIs()) === 'healthy')
  await redis.kill()
  await until('nobody noticed that Redis is away', async () => (await redisIs()) === 'unhealthy')
  assert.equal((await shop.ask('/health')).body.status, 'degraded')
  assert.equal((await shop.ask('/readyz')).status, 200)
  assert.equal((await shop.ask('/orders', { method: 'POST' })).status, 201)
})

test('stopping, it turns unready first, and finishes what is under way', async () => {
  await using shop = await start()
  const order = shop.ask('/orders', { method: 'POST' })
  await shop.ask('/livez')
  shop.child.signal('SIGTERM')
  await until('it stayed ready', async () => (await shop.ask('/readyz')).status === 503)
  assert.equal((await order).status, 201)
  assert.deepEqual(await shop.child.exit, { code: 0, signal: null })
})
