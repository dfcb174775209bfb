import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { createDrain } from '@tidegate/server/node'
import { startRedis } from '@tidegate/testkit'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { createApp } from './app.ts'
import { type Journal, openJournal } from './journal.ts'

async function open(journal: Journal) {
  const stopping = new AbortController()
  const server = createServer()
  const drain = createDrain(server)
  const app = createApp({ log: journal.log, stopping: stopping.signal, heartbeatMs: 50 })
  server.on('request', getRequestListener(app.fetch)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = async () => {
    stopping.abort()
    return await drain.start()
  }
  return {
    stop,
    get: (path: string) => fetch(`${url}${path}`),
    async seen(parcel: string, place: string): Promise<string> {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ parcel, place })
      const response = await fetch(`${url}/seen`, { method: 'POST', headers, body })
      assert.equal(response.status, 202)
      return ((await response.json()) as { id: string }).id
    },
    /** Listens as a browser does: with the id of the last event that it had. */
    async live(path: string, lastEventId?: string) {
      const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      const response = await fetch(`${url}${path}`, { headers })
      assert.equal(response.headers.get('content-type'), 'text/event-stream')
      assert.ok(response.body)
      return response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream())
        .getReader()
    },
    async [Symbol.asyncDispose]() {
      await stop()
      await journal.close()
    },
  }
}

type Reader = Awaited<ReturnType<Awaited<ReturnType<typeof open>>['live']>>

async function next(reader: Reader) {
  const { value, done } = await reader.read()
  assert.ok(!done, 'the stream has ended')
  return [value.event, JSON.parse(value.data) as unknown] as const
}

const seen = (parcel: string, place: string) => ['seen', { parcel, place }]

test('what is seen is told at once, and after a break what was missed', async () => {
  await using server = await open(openJournal({}))
  const id = await server.seen('p1', 'Hamburg')
  const first = await server.live('/live', id)
  await server.seen('p2', 'Lisbon')
  assert.deepEqual(await next(first), seen('p2', 'Lisbon'))
  await first.cancel()
  await server.seen('p1', 'Bremen')
  await server.seen('p2', 'Porto')
  const again = await server.live('/live?parcel=p2', id)
  assert.deepEqual(await next(again), seen('p2', 'Lisbon'))
  assert.deepEqual(await next(again), seen('p2', 'Porto'))
})

test('an id of another journal is told as a gap', async () => {
  await using server = await open(openJournal({}))
  await server.seen('p1', 'Hamburg')
  const reader = await server.live('/live', '5-0')
  assert.deepEqual(await next(reader), ['gap', { after: '5-0' }])
  assert.deepEqual(await next(reader), seen('p1', 'Hamburg'))
})

test('the last minutes are there to be read', async () => {
  await using server = await open(openJournal({}))
  await server.seen('p1', 'Hamburg')
  await server.seen('p1', 'Bremen')
  assert.deepEqual(await (await server.get('/recent')).json(), {
    count: 2,
    complete: true,
    seen: [
      { parcel: 'p1', place: 'Hamburg' },
      { parcel: 'p1', place: 'Bremen' },
    ],
  })
  assert.match(await (await server.get('/')).text(), /EventSource\('\/live'\)/)
})

test('the server stops with readers, who are told when to come back', async () => {
  await using server = await open(openJournal({}))
  const responses = await Promise.all(Array.from({ length: 10 }, () => server.get('/live')))
  const ends = responses.map((response) => response.text())
  assert.equal((await server.stop()).destroyed, 0)
  for (const end of ends) assert.match(await end, /retry: \d+\n\n$/)
})

test('with Redis, what one process is told, readers of all have, also after it was killed', async () => {
  await using redis = await startRedis({ own: true })
  const env = { REDIS_URL: redis.url }
  await using one = await open(openJournal(env))
  await using other = await open(openJournal(env))
  const id = await one.seen('p1', 'Hamburg')
  const reader = await other.live('/live', id)
  await one.seen('p1', 'Bremen')
  assert.deepEqual(await next(reader), seen('p1', 'Bremen'))

  await redis.kill()
  await redis.start()
  const deadline = AbortSignal.timeout(20_000)
  for (;;) {
    const back = await one.seen('p1', 'Kiel').catch(() => undefined)
    if (back !== undefined) break
    await wait(20, undefined, { signal: deadline })
  }
  // This Redis keeps nothing: what was in it is gone, and readers are told.
  assert.equal((await next(reader))[0], 'gap')
  assert.deepEqual(await next(reader), seen('p1', 'Kiel'))
})
