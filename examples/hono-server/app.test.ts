import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import { createLogger } from '@tidegate/logger'
import { createDrain, hardenServer, serverOptions } from '@tidegate/server/node'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

interface Line extends Readonly<Record<string, unknown>> {
  readonly message: string
}

const lines: Line[] = []
const log = new EventEmitter()
const destination = {
  write(line: string) {
    lines.push(JSON.parse(line) as Line)
    log.emit('line')
  },
}
const server = createServer(serverOptions())
hardenServer(server)
const drain = createDrain(server)
let url = ''

before(async () => {
  const logger = createLogger({ format: 'json', destination })
  const settings = readConfig({ ENVIRONMENT: 'production', TIMEOUT: '200ms' })
  const app = createApp({ settings, logger, ready: () => drain.ready })
  server.on('request', getRequestListener(app.fetch)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

after(async () => {
  const drained = drain.start()
  assert.equal(drain.ready, false)
  assert.equal((await drained).destroyed, 0)
  assert.ok(!lines.some(({ path }) => path === '/readyz'))
})

function quote(body: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-request-id': 'quote-1' }
  return fetch(`${url}/quotes`, { method: 'POST', headers, body })
}

test('a quote, with its id on the response and on every line', async () => {
  const response = await quote('{"to":"Hamburg","kilos":2.5}')
  assert.deepEqual(await response.json(), { price: 2 })
  assert.equal(response.headers.get('x-request-id'), 'quote-1')
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  assert.match(response.headers.get('server-timing') ?? '', /quotes;dur=/)

  // The client may have its answer a moment before the server knows that it has gone out.
  while (lines.length < 2) await once(log, 'line')
  const [quoted, ended] = lines
  assert.deepEqual([quoted?.request_id, quoted?.to, quoted?.price], ['quote-1', 'Hamburg', 2])
  assert.deepEqual([ended?.request_id, ended?.route], ['quote-1', '/quotes'])
  assert.deepEqual([ended?.status_code, ended?.client_ip], [200, '127.0.0.1'])
})

test('an error says what happened and what to do', async () => {
  const unknown = await quote('{"to":"Atlantis","kilos":1}')
  const problem = (await unknown.json()) as Record<string, unknown>
  assert.equal(unknown.status, 422)
  assert.equal(problem.code, 'nowhere')
  assert.match(JSON.stringify(problem), /Nobody drives there.*GET \/places/)

  const missing = await quote('{"to":"Lisbon"}')
  assert.equal(missing.status, 400)
  assert.match(await missing.text(), /kilos/)
  assert.equal((await quote('{"to":')).status, 400)
  assert.equal((await fetch(`${url}/nothing`)).status, 404)
})

test('a request that takes too long ends at its deadline', async () => {
  const response = await fetch(`${url}/slow`)
  assert.equal(response.status, 504)
  assert.match(await response.text(), /deadline_exceeded/)
})

test('the probe answers, and leaves no line', async () => {
  assert.deepEqual(await (await fetch(`${url}/readyz`)).json(), { ready: true })
})
