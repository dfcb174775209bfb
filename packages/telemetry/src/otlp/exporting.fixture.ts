import { createMetrics } from '../core/metrics/metrics.ts'
import { createTracing } from '../core/tracing/tracing.ts'
import { startOtlp } from './start-otlp.ts'

// A process of its own: it exports to the address it is given, shuts down, and must end by itself.
const otlp = startOtlp({
  serviceName: 'short-lived',
  endpoint: process.argv[2] ?? '',
  timeoutMs: 600_000,
  metrics: createMetrics(),
})
const tracing = createTracing({ recorder: otlp.recorder })
for (let made = 0; made < 100; made += 1) tracing.begin(undefined, undefined).end()
await otlp.shutdown(2_000)
