import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createLogger } from '@tidegate/logger'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

const key = 'parcel-key-4711'

test('every line of a request carries its id, and no line its credential', async () => {
  const lines: string[] = []
  const logger = createLogger({
    format: 'json',
    destination: { write: (line) => lines.push(line) },
  })
  const server = createApp(readConfig({ PARTNER_KEY: key }), logger).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const response = await fetch(`http://127.0.0.1:${port}/parcels/a-1`)
  assert.deepEqual(await response.json(), { parcel: 'a-1', place: 'Hamburg' })
  assert.equal((await fetch(`http://127.0.0.1:${port}/nothing`)).status, 404)
  server.close()
  server.closeAllConnections()
  await once(server, 'close')

  const [asked, ended, missed] = lines.map((line) => JSON.parse(line))
  assert.equal(asked.message, 'asking the carrier')
  assert.equal(asked.request_id, ended.request_id)
  assert.deepEqual([ended.parcel, ended.status_code], ['a-1', 200])
  assert.match(missed.request_id, /^[\da-f-]{36}$/)
  assert.notEqual(missed.request_id, ended.request_id)
  assert.equal(missed.status_code, 404)
  assert.ok(!lines.join('').includes(key))
})

test('everything that is wrong with the environment is said at once', () => {
  const start = () => readConfig({ PORT: 'eighty', PARTNER_KEY: 'short' })
  assert.throws(start, (error: Error) => {
    assert.match(error.message, /PORT/)
    assert.match(error.message, /PARTNER_KEY/)
    assert.ok(!error.message.includes('short'))
    return true
  })
})
