import { startOtlpCollector } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { createMetrics } from '../core/metrics/metrics.ts'
import { genAiTokenUsage } from '../core/names/gen-ai.ts'
import { startOtlp } from './start-otlp.ts'

describe('metricProducer', () => {
  it("sends histograms with their own buckets, by the conventions' names", async () => {
    await using collector = await startOtlpCollector()
    const metrics = createMetrics()
    const usage = metrics.histogram(genAiTokenUsage.name, genAiTokenUsage)
    for (const tokens of [1, 3, 300, 1e9])
      usage.series('chat', 'openai', 'm', 'input').record(tokens)
    usage.series('chat', 'openai', '', 'output').record(5)
    const otlp = startOtlp({ serviceName: 'gate', endpoint: collector.url, metrics })
    await otlp.flush()
    const sent = await collector.waitForMetric(({ name }) => name === 'gen_ai.client.token.usage')
    await otlp.shutdown()
    expect(sent).toMatchObject({ type: 'histogram', unit: '{token}', temporality: 'cumulative' })
    const [input, output] = sent.points
    expect(input).toMatchObject({
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'm',
        'gen_ai.token.type': 'input',
      },
      count: 4,
      sum: 1_000_000_304,
      bounds: genAiTokenUsage.buckets,
      bucketCounts: [1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    })
    expect(output?.attributes).not.toHaveProperty('gen_ai.request.model')
    expect(input && input.timeUnixNano >= input.startTimeUnixNano).toBe(true)
  })
})
