import { promtoolCheckMetrics } from '@tidegate/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { createMetrics } from '../metrics/metrics.ts'
import { genAiOperationDuration, genAiTimeToFirstChunk, genAiTokenUsage } from '../names/gen-ai.ts'
import { exposition } from './exposition.ts'

const hostile = ['"} 1\nx 2', '\\', '\u2028', '\r', '', '#', '\u0000', '\ud83d']

// On a bare machine it has to be installed first.
beforeAll(async () => void (await promtoolCheckMetrics('')), 300_000)

describe('exposition', () => {
  it('has nothing that promtool complains about', async () => {
    const metrics = createMetrics({ maxSeries: 10 })
    const model = (series: (...values: readonly [string, string, string]) => void) => {
      for (const name of hostile) series('chat', 'openai', name)
    }
    const usage = metrics.histogram(genAiTokenUsage.name, genAiTokenUsage)
    model((...labels) => usage.series(...labels, 'input').record(1_000))
    const duration = metrics.histogram(genAiOperationDuration.name, genAiOperationDuration)
    model((...labels) => duration.series(...labels, '').record(0.3))
    const chunk = metrics.histogram(genAiTimeToFirstChunk.name, genAiTimeToFirstChunk)
    model((...labels) => chunk.series(...labels).record(0.3))
    const requests = metrics.counter('tidegate_requests_total', {
      help: 'Requests "by" outcome,\nand \\ more.',
      labels: ['http_route', 'outcome'],
    })
    for (const route of [...hostile, 'a', 'b', 'c', 'd'])
      requests.series(route, 'success').add(1e21)
    const top = metrics.topK('tidegate_key_requests_total', { help: 'By key.', label: 'key', k: 3 })
    for (const key of hostile) top.add(key, 1e-7)
    metrics.gauge('tidegate_memory_bytes', { help: 'M.', unit: 'bytes' }).series().set(Number.NaN)
    metrics.upDownCounter('tidegate_streams_active', { help: 'S.' }).series().set(-Infinity)
    requests.series('a', 'success').add(Number.NaN)
    expect(await promtoolCheckMetrics(exposition(metrics.snapshot()).body)).toEqual([])
  })
})
