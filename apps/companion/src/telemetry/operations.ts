import { z } from '@hono/zod-openapi'
import { exposition, metricsJson, negotiate } from '@tidegate/telemetry'
import { type AnyOperation, operation } from '../openapi/operation.ts'
import type { CompanionMetrics } from './open.ts'

/** `/metrics`: Prometheus's text, OpenMetrics or JSON, as the client says. */
export function metricsOperations({ registry }: CompanionMetrics): readonly AnyOperation[] {
  return [
    operation({
      ...{ method: 'get', path: '/metrics', id: 'getMetrics', tag: 'operations' },
      summary: 'What is counted and timed, for Prometheus',
      scope: 'metrics:read',
      answer: {
        status: 200,
        description: "Prometheus's text; OpenMetrics or JSON for those whose Accept says so.",
        contentType: 'text/plain',
        schema: z.string(),
      },
      handle: ({ c }) => {
        const format = negotiate(c.req.header('accept'))
        if (format === 'json') {
          const body = JSON.stringify(metricsJson(registry.snapshot()))
          return { body, headers: { 'content-type': 'application/json', vary: 'accept' } }
        }
        const { contentType, body } = exposition(registry.snapshot(), { format })
        return { body, headers: { 'content-type': contentType, vary: 'accept' } }
      },
    }),
  ]
}
