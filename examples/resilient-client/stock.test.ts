import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timelineOf } from '@tidegate/resilience'
import { createEgress, HttpStatusError, isHttpClientError } from '@tidegate/resilience/http'
import { type Replica, startReplica } from './replica.ts'
import { createWarehouse, stockOf, stocksOf } from './stock.ts'

const timeouts = { connectMs: 1_000, firstByteMs: 300, totalMs: 10_000 }
const urlsOf = (replicas: readonly Replica[]) => replicas.map(({ url }) => url)

test('one replica that is well is enough', async () => {
  await using well = await startReplica('well')
  await using busy = await startReplica('busy')
  await using silent = await startReplica('silent')
  const warehouse = createWarehouse(urlsOf([busy, silent, well]), {}, { timeouts })
  const articles = Array.from({ length: 40 }, (_, index) => `article-${index}`)
  const stocks = await stocksOf(warehouse, articles)
  assert.deepEqual(
    stocks,
    articles.map((article) => ({ article, pieces: article.length })),
  )
  // Once it is known that they fail they are left alone.
  assert.ok(busy.asked < 20, `the busy one was asked ${busy.asked} times`)
  assert.ok(silent.asked < 20, `the silent one was asked ${silent.asked} times`)
  await warehouse.close()
})

test('callers who ask for the same thing at the same time share one request', async () => {
  await using replica = await startReplica('well')
  const warehouse = createWarehouse([replica.url], {}, { timeouts })
  const answers = await Promise.all([1, 2, 3].map(() => stockOf(warehouse, 'bolt')))
  assert.deepEqual(answers[2], { article: 'bolt', pieces: 4 })
  assert.equal(replica.asked, 1)
  await warehouse.close()
})

test('an error tells what was tried, and is told apart by its code', async () => {
  await using replica = await startReplica('busy')
  const retry = { retries: 1, initial: 1 }
  const warehouse = createWarehouse([replica.url], {}, { timeouts, retry })
  await assert.rejects(stockOf(warehouse, 'bolt'), (error: unknown) => {
    assert.ok(isHttpClientError(error) && error instanceof HttpStatusError)
    assert.deepEqual([error.code, error.status, error.body], ['http_status', 503, 'too busy'])
    const story = timelineOf(error).map(({ kind, attempt }) => [kind, attempt])
    assert.deepEqual(story, [
      ['failure', 1],
      ['wait', undefined],
      ['failure', 2],
    ])
    return true
  })
  await warehouse.close()
})

test('an answer of another shape is an error, and no second replica is asked', async () => {
  await using replica = await startReplica('odd')
  const warehouse = createWarehouse([replica.url], {}, { timeouts })
  await assert.rejects(stockOf(warehouse, 'bolt'), /pieces/)
  assert.equal(replica.asked, 1)
  await warehouse.close()
})

test('addresses that are not public can be forbidden', async () => {
  await using replica = await startReplica('well')
  const warehouse = createWarehouse([replica.url], {}, { timeouts, egress: createEgress() })
  await assert.rejects(stockOf(warehouse, 'bolt'), { code: 'egress_denied', rule: 'loopback' })
  assert.equal(replica.asked, 0)
  await warehouse.close()
})

test('everything that is wrong with the settings is said at once', () => {
  const env = { BACKEND_MAX_RETRIES: 'many', BACKEND_TIMEOUT_READ: '-1' }
  assert.throws(
    () => createWarehouse(['http://127.0.0.1'], env),
    (error: Error) => {
      assert.match(error.message, /BACKEND_MAX_RETRIES/)
      assert.match(error.message, /BACKEND_TIMEOUT_READ/)
      return true
    },
  )
})
