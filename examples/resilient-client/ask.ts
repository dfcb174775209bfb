import { timelineOf } from '@tidegate/resilience'
import { startReplica } from './replica.ts'
import { createWarehouse, stockOf, stocksOf } from './stock.ts'

// Three replicas: one is well, one refuses, one accepts and never answers.
const replicas = await Promise.all([
  startReplica('well'),
  startReplica('busy'),
  startReplica('silent'),
])
const warehouse = createWarehouse(
  replicas.map(({ url }) => url),
  process.env,
  {
    timeouts: { connectMs: 500, firstByteMs: 200, totalMs: 5_000 },
    onEvent: (event) => {
      if (event.type === 'breaker') console.log(`  ${event.endpoint}: ${event.from} → ${event.to}`)
    },
  },
)

const articles = Array.from({ length: 40 }, (_, index) => `article-${index}`)
const stocks = await stocksOf(warehouse, articles)
console.log(`${stocks.filter(Boolean).length} of ${articles.length} articles were answered`)
console.table(
  warehouse.stats().endpoints.map(({ endpoint, breaker, attempts, failures }) => ({
    endpoint,
    breaker,
    attempts,
    failures,
  })),
)

// And when no replica can answer, the error tells the whole story.
for (const replica of replicas) replica.mood = 'busy'
try {
  await stockOf(warehouse, 'article-1')
} catch (error) {
  console.log(error instanceof Error ? error.message : error)
  console.table(timelineOf(error))
}

await warehouse.close()
for (const replica of replicas) await replica[Symbol.asyncDispose]()
