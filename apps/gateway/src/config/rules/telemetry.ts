import type { Finding, Rule } from '@tidegate/config'
import type { GatewayConfig } from '../schema/gateway.ts'

/** What is configured of telemetry and would never come about. */
export const telemetryRules: readonly Rule<GatewayConfig>[] = [findSilentWebhook]

// Whoever set it up counts on being told.
function findSilentWebhook({ telemetry }: GatewayConfig): readonly Finding[] {
  const { metrics, history, anomalies } = telemetry
  if (anomalies?.webhook === undefined || (metrics && history !== undefined)) return []
  const missing = metrics ? 'history' : 'metrics'
  const message = `would never be told anything, as telemetry.${missing} is off and no anomalies are found without it`
  return [{ path: ['telemetry', 'anomalies', 'webhook'], message }]
}
