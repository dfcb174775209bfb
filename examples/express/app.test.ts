import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createLogger } from '@tidegate/logger'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

const key = 'orders-key-2f9c81d0'

test('orders are taken with the key, refused without, and logged without secrets', async () => {
  const lines: string[] = []
  const logger = createLogger({
    format: 'json',
    destination: { write: (line) => lines.push(line) },
  })
  const server = createApp(readConfig({ API_KEY: key }), logger).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const order = async (authorization: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/orders`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ item: 'tea', payment: { token: 'tok-canary-1' } }),
    })
    await response.text()
    return response
  }

  const taken = await order(`Bearer ${key}`)
  assert.equal(taken.status, 201)
  assert.equal((await order('Bearer wrong')).status, 401)
  server.close()
  server.closeAllConnections()
  await once(server, 'close')

  const logged = lines.map((line) => JSON.parse(line))
  const [accepted, ended, refused, last] = logged
  assert.equal(logged.length, 4)
  assert.equal(accepted.order.item, 'tea')
  assert.equal(accepted.request_id, taken.headers.get('x-request-id'))
  assert.deepEqual([ended.request_id, ended.status_code], [accepted.request_id, 201])
  assert.deepEqual([refused.security, refused.event_type], [true, 'auth_failure'])
  assert.deepEqual([last.request_id, last.status_code], [refused.request_id, 401])
  assert.ok(!lines.join('').includes('tok-canary-1'))
  assert.ok(!lines.join('').includes(key))
})

test('the key of the example file is refused', () => {
  assert.throws(() => readConfig({ API_KEY: 'change-me-change-me' }), /API_KEY/)
})
