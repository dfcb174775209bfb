import { describe, expect, it } from 'vitest'
import { createMetrics } from '../metrics/metrics.ts'
import { genAiOperationDuration, genAiTimeToFirstChunk, genAiTokenUsage } from './gen-ai.ts'
import { otelAttributes, otelMetric } from './otel.ts'

describe('otelMetric', () => {
  it('knows the names of the conventions', () => {
    const metrics = createMetrics()
    metrics.histogram(genAiTokenUsage.name, genAiTokenUsage)
    metrics.histogram(genAiOperationDuration.name, genAiOperationDuration)
    metrics.histogram(genAiTimeToFirstChunk.name, genAiTimeToFirstChunk)
    const names = [genAiTokenUsage, genAiOperationDuration, genAiTimeToFirstChunk].map(otelMetric)
    expect(names).toEqual([
      { name: 'gen_ai.client.token.usage', unit: '{token}' },
      { name: 'gen_ai.client.operation.duration', unit: 's' },
      { name: 'gen_ai.client.operation.time_to_first_chunk', unit: 's' },
    ])
  })

  it('leaves any other name as it is, and says its unit in UCUM', () => {
    const units = [undefined, 'seconds', 'bytes', 'ratio', 'usd'].map(
      (unit) => otelMetric({ name: 'x', ...(unit !== undefined && { unit }) }).unit,
    )
    expect(units).toEqual(['', 's', 'By', '1', '{usd}'])
    expect(otelMetric({ name: 'x_total' }).name).toBe('x_total')
  })
})

describe('otelAttributes', () => {
  it('has dots, numbers where the conventions have them, and nothing that is empty', () => {
    const names = ['http_route', 'http_response_status_code', 'error_type', 'server_port', 'policy']
    expect(otelAttributes(names, ['/v1/**', '200', '', 'none', 'per_ip'])).toEqual({
      'http.route': '/v1/**',
      'http.response.status_code': 200,
      'server.port': 'none',
      policy: 'per_ip',
    })
  })
})
