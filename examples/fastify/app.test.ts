import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '@tidegate/logger'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

const key = 'tickets-key-77aa12'

test('lines of one request share its id, and secrets print as nothing', async () => {
  const lines: string[] = []
  const logger = createLogger({
    format: 'json',
    destination: { write: (line) => lines.push(line) },
  })
  const app = createApp(readConfig({ SIGNING_KEY: key, TIMEOUT: '2s' }), logger)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })

  const answers = await Promise.all(
    ['12a', '12b'].map(async (seat) => (await fetch(`${address}/tickets/${seat}`)).text()),
  )
  assert.deepEqual(
    answers.map((text) => JSON.parse(text).seat),
    ['12a', '12b'],
  )
  await app.close()

  const logged = lines.map((line) => JSON.parse(line))
  assert.equal(logged.length, 4)
  for (const seat of ['12a', '12b']) {
    const own = logged.filter((line) => line.seat === seat)
    assert.deepEqual(
      own.map(({ message }) => message),
      ['ticket signed', 'request'],
    )
    assert.ok(typeof own[0].request_id === 'string')
    assert.equal(own[0].request_id, own[1].request_id)
    assert.deepEqual([own[1].route, own[1].status_code], ['/tickets/:seat', 200])
  }
  assert.ok(!lines.join('').includes(key))
})

test('durations are written as people write them', () => {
  assert.equal(readConfig({ SIGNING_KEY: key, TIMEOUT: '2s' }).timeout, 2000)
  assert.throws(() => readConfig({ SIGNING_KEY: key, TIMEOUT: '2 fortnights' }), /TIMEOUT/)
})
