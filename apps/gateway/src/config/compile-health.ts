import type { CheckSettings, CheckTarget, HealthSettings } from './health-settings.ts'
import type { GatewayConfig } from './schema/gateway.ts'
import type { CheckConfig } from './schema/health.ts'

/** How long a check may take that a variable switched on. */
const TIMEOUT_MS = 5_000

/** Turns checks into what is looked at. One under `checks` takes the place of a variable's. */
export function compileHealth(health: GatewayConfig['health']): HealthSettings {
  const { interval, required, shedding, mongodb, pinecone } = health
  const named = Object.entries(health.checks).flatMap(([name, check]): CheckSettings[] => {
    const target = targetOf(check)
    const { critical, timeout, slow } = check
    if (target === undefined) return []
    return [{ name, target, critical, timeout, slow, interval: check.interval ?? interval }]
  })
  const plain = { critical: false, timeout: TIMEOUT_MS, slow: undefined, interval }
  const ofVariables: CheckSettings[] = [
    ...(mongodb === undefined
      ? []
      : [{ ...plain, name: 'mongodb', target: { kind: 'mongodb' as const, uri: mongodb } }]),
    ...(pinecone === undefined
      ? []
      : [{ ...plain, name: 'pinecone', target: pineconeAt(pinecone, undefined, undefined) }]),
  ]
  const isFree = ({ name }: CheckSettings): boolean => !Object.hasOwn(health.checks, name)
  return {
    interval,
    checks: [...named, ...ofVariables.filter(isFree)],
    required,
    shedding: shedding && {
      maxDelay: shedding.maxDelay,
      ...(shedding.maxUtilization !== undefined && { maxUtilization: shedding.maxUtilization }),
    },
  }
}

function targetOf(check: CheckConfig): CheckTarget | undefined {
  const { url, redis, mongodb, pinecone, index, expectStatus, expectBody, headers = {} } = check
  if (pinecone !== undefined) return pineconeAt(pinecone, url, index)
  if (mongodb !== undefined) return { kind: 'mongodb', uri: mongodb }
  if (redis !== undefined) return { kind: 'redis', url: redis }
  if (url === undefined) return undefined
  const statuses = typeof expectStatus === 'number' ? [expectStatus] : expectStatus
  const sent = new Map(Object.entries(headers))
  return { kind: 'http', url, expectStatus: statuses, expectBody, headers: sent }
}

function pineconeAt(
  apiKey: NonNullable<CheckConfig['pinecone']>,
  url: string | undefined,
  index: string | undefined,
): CheckTarget {
  return { kind: 'pinecone', apiKey, url, index }
}
