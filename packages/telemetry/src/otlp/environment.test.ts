import { describe, expect, it } from 'vitest'
import { otlpEnvironment } from '../core/environment/otlp-environment.ts'
import { startOtlp } from './start-otlp.ts'

describe('startOtlp', () => {
  it('takes what otlpEnvironment has read as it is', async () => {
    const { otlp } = otlpEnvironment({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=1',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
    })
    const started = startOtlp({ serviceName: 'by default', ...otlp })
    expect(started.recorder).toBeDefined()
    await started.shutdown()
  })
})
