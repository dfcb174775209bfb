import { z } from '@hono/zod-openapi'
import { type Health, summaryOf } from '@tidegate/health'
import { type AnyOperation, operation } from '../openapi/operation.ts'

const status = z.enum(['healthy', 'degraded', 'unhealthy'])

const summary = z.object({
  status,
  version: z.string().optional(),
  timestamp: z.iso.datetime(),
  uptime_seconds: z.number(),
})

const summarySchema = summary.openapi('HealthSummary')

const component = z
  .object({
    status,
    observed: status.optional(),
    latency_ms: z.number(),
    checked_at: z.iso.datetime(),
    since: z.iso.datetime(),
    critical: z.boolean(),
    tags: z.array(z.string()).readonly().optional(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
    details: z.record(z.string(), z.unknown()).readonly().optional(),
  })
  .openapi('HealthComponent')

const detailedSchema = summary
  .extend({ components: z.record(z.string(), component).readonly() })
  .openapi('HealthReport')

const livenessSchema = z
  .object({ status: z.literal('alive'), uptime_seconds: z.number() })
  .openapi('Liveness')

const readinessSchema = z
  .object({ status: z.enum(['ready', 'not_ready', 'draining']) })
  .openapi('Readiness')

/** How the companion stands: at the root for probes, and under `/api/v1` for those who read the API. */
export function healthOperations(health: Health): readonly AnyOperation[] {
  return [
    liveness(health, '/livez', 'getLivez'),
    readiness(health, '/readyz', 'getReadyz'),
    overall(health, '/health', 'getRootHealth'),
    overall(health, '/api/v1/health', 'getHealth'),
    liveness(health, '/api/v1/health/live', 'getLiveness'),
    readiness(health, '/api/v1/health/ready', 'getReadiness'),
    detailed(health),
  ]
}

const tag = 'health'

function liveness(health: Health, path: string, id: string): AnyOperation {
  return operation({
    ...{ method: 'get', path, id, tag, scope: undefined },
    summary: 'Whether the process answers; looks at nothing else',
    answer: { status: 200, description: 'It answers.', schema: livenessSchema },
    handle: () => ({ body: health.liveness() }),
  })
}

function readiness(health: Health, path: string, id: string): AnyOperation {
  return operation({
    ...{ method: 'get', path, id, tag, scope: undefined },
    summary: 'Whether requests should be sent here',
    answer: { status: 200, description: 'Send requests.', schema: readinessSchema },
    alsoAnswers: { 503: 'Send none: it is draining, or can not work.' },
    handle: async () => {
      const { ready, status: said } = await health.readiness()
      const body = { status: said }
      return ready ? { body } : { body, status: 503, headers: { 'retry-after': '1' } }
    },
  })
}

function overall(health: Health, path: string, id: string): AnyOperation {
  return operation({
    ...{ method: 'get', path, id, tag, scope: undefined },
    summary: 'How it stands, in a word',
    answer: { status: 200, description: 'Healthy or degraded.', schema: summarySchema },
    alsoAnswers: { 503: 'Unhealthy.' },
    handle: async () => {
      const body = summaryOf(await health.report())
      return { body, status: body.status === 'unhealthy' ? 503 : 200 }
    },
  })
}

function detailed(health: Health): AnyOperation {
  return operation({
    ...{ method: 'get', path: '/api/v1/health/detailed', id: 'getDetailedHealth', tag },
    scope: 'health:read',
    summary: 'How each component stands',
    answer: { status: 200, description: 'Healthy or degraded.', schema: detailedSchema },
    alsoAnswers: { 503: 'Unhealthy.' },
    handle: async () => {
      const report = await health.report()
      return { body: report, status: report.status === 'unhealthy' ? 503 : 200 }
    },
  })
}
