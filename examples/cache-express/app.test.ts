import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startRedis } from '@tidegate/testkit'
import { createApp } from './app.ts'
import type { Product, Products } from './products.ts'
import { openShopCache } from './shop-cache.ts'

/** Each test has a product of its own, as they may share a Redis. */
let count = 0
const lampOf = (price: number): Product => ({
  id: `lamp-${process.pid}-${count}`,
  name: 'Lamp',
  price,
})

/** A database that several shops have in common. */
function database() {
  count += 1
  const { id } = lampOf(0)
  const state = { product: lampOf(39), asked: 0 }
  const products: Products = {
    async find(wanted) {
      state.asked += 1
      await wait(20)
      return wanted === id ? state.product : null
    },
    async save(product) {
      state.product = product
    },
  }
  return { id, state, products }
}

async function open(products: Products, env: Record<string, string> = {}) {
  const { cache, close } = openShopCache(env)
  const server = createApp({ cache, products }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    cache,
    get: (path: string) => fetch(`${url}${path}`),
    async price(id: string): Promise<number> {
      const response = await fetch(`${url}/products/${id}`)
      assert.equal(response.status, 200)
      return ((await response.json()) as Product).price
    },
    async reprice(id: string, price: number) {
      const body = JSON.stringify({ name: 'Lamp', price })
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${url}/products/${id}`, { method: 'PUT', headers, body })
      assert.equal(response.status, 204)
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await close()
    },
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(20_000)
  while (!(await holds())) await wait(20, undefined, { signal: deadline })
}

test('the database is asked once, however many want to know', async () => {
  const { id, state, products } = database()
  await using shop = await open(products)
  const prices = await Promise.all(Array.from({ length: 50 }, () => shop.price(id)))
  assert.deepEqual(new Set(prices), new Set([39]))
  assert.equal(state.asked, 1)
  const stats = (await (await shop.get('/cache/stats')).json()) as Record<string, unknown>
  assert.equal(stats.factories, 1)
})

test('what is not there is remembered as well', async () => {
  const { state, products } = database()
  await using shop = await open(products)
  for (let n = 0; n < 3; n++) assert.equal((await shop.get('/products/nothing')).status, 404)
  assert.equal(state.asked, 1)
})

test('a new price is told at once', async () => {
  const { id, products } = database()
  await using shop = await open(products)
  assert.equal(await shop.price(id), 39)
  await shop.reprice(id, 35)
  assert.equal(await shop.price(id), 35)
})

test('with Redis, shops share what one of them has read, and a new price', async () => {
  await using redis = await startRedis()
  const { id, state, products } = database()
  await using one = await open(products, { REDIS_URL: redis.url })
  await using other = await open(products, { REDIS_URL: redis.url })
  assert.deepEqual([await one.price(id), await other.price(id)], [39, 39])
  assert.equal(state.asked, 1)
  await one.reprice(id, 35)
  await until(async () => (await other.price(id)) === 35)
  assert.equal(await one.price(id), 35)
})

test('nobody notices that Redis is away, and what changed meanwhile is told when it is back', async () => {
  await using redis = await startRedis({ own: true })
  const { id, products } = database()
  await using one = await open(products, { REDIS_URL: redis.url })
  await using other = await open(products, { REDIS_URL: redis.url })
  assert.deepEqual([await one.price(id), await other.price(id)], [39, 39])
  await redis.kill()
  await one.reprice(id, 35)
  assert.equal(await one.price(id), 35)
  await redis.start()
  await until(async () => (await other.price(id)) === 35)
})
