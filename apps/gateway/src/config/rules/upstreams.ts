import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import { formatDuration } from '@tidegate/config/fields'
import type { GatewayConfig } from '../schema/gateway.ts'
import { INITIAL_WAIT_MS } from '../schema/resilience.ts'
import { FIRST_BYTE_MS } from '../schema/upstreams.ts'
import { COMPONENT_NAMES } from './component-names.ts'

/** What is wrong within an upstream, between values each of which is right. */
export const upstreamRules: readonly Rule<GatewayConfig>[] = [
  findTakenNames,
  ...[findLateFirstBytes, findLongFirstWaits, findLateHedges, findLoneHedges].map(forEachUpstream),
  ...[findSameEndpoints, findUnusedAliases, findIdleAliases].map(forEachUpstream),
]

type Upstream = GatewayConfig['upstreams'][string]

/** One question about one upstream; paths begin below it. */
type Question = (upstream: Upstream) => readonly Finding[]

function forEachUpstream(ask: Question): Rule<GatewayConfig> {
  return ({ upstreams }) =>
    eachKnown(Object.keys(upstreams), (name) => {
      const upstream = upstreams[name]
      const findings = upstream === undefined ? [] : ask(upstream)
      return findings.map((found) => ({ ...found, path: ['upstreams', name, ...found.path] }))
    })
}

function findTakenNames({ upstreams }: GatewayConfig): readonly Finding[] {
  return COMPONENT_NAMES.filter((name) => Object.hasOwn(upstreams, name)).map((name) => ({
    path: ['upstreams', name],
    message: `this name is taken, as /health/${name} tells of something else; rename it`,
    suggestion: `${name}-1`,
  }))
}

// Defaults are nobody's mistake: where they are the longer ones, they have no effect.
function findLateFirstBytes({ timeouts: { firstByte, total } }: Upstream): readonly Finding[] {
  if (firstByte <= total || firstByte === FIRST_BYTE_MS) return []
  const message = `is longer than total, which is ${formatDuration(total)}, and would never be reached; lower it or raise total`
  return [{ path: ['timeouts', 'firstByte'], message }]
}

function findLongFirstWaits({ retry }: Upstream): readonly Finding[] {
  if (retry === undefined || retry.initial <= retry.max) return []
  if (retry.initial === INITIAL_WAIT_MS) return []
  const message = `is longer than max, which is ${formatDuration(retry.max)}; lower it or raise max`
  return [{ path: ['retry', 'initial'], message }]
}

function findLateHedges({ hedge, timeouts: { firstByte } }: Upstream): readonly Finding[] {
  const after = hedge?.after
  if (typeof after !== 'number' || after < firstByte) return []
  const message = `is not shorter than timeouts.firstByte, which is ${formatDuration(firstByte)}, so that there would never be a hedge; lower it or raise firstByte`
  return [{ path: ['hedge', 'after'], message }]
}

function findLoneHedges({ hedge, endpoints }: Upstream): readonly Finding[] {
  // Taken out and not counted, as the only one may be wrong.
  const [, second] = endpoints
  if (hedge?.after === undefined || second !== undefined) return []
  const message = 'has no effect, as there is no second endpoint to ask; add one or leave it off'
  return [{ path: ['hedge', 'after'], severity: 'warning', message }]
}

function findSameEndpoints({ endpoints }: Upstream): readonly Finding[] {
  const known = eachKnown(endpoints, ({ url, apiKey }, index) => [
    { index, id: JSON.stringify([addressOf(url), apiKey?.reveal()]) },
  ])
  return known.flatMap(({ index, id }, at) => {
    const first = known.slice(0, at).find((earlier) => earlier.id === id)
    if (first === undefined) return []
    const message = `endpoints[${first.index}] is the same, so that a failure of the one is a failure of both; remove it, or give the first more weight if that is meant`
    return [{ path: ['endpoints', index, 'url'], severity: 'warning', message }]
  })
}

function addressOf(url: string): string {
  return new URL(url).href.replace(/\/+$/, '')
}

function findUnusedAliases({ models }: Upstream): readonly Finding[] {
  return eachKnown(Object.keys(models), (alias) => {
    if (models[alias] !== alias) return []
    const message = 'renames the model to what it is called already; remove it'
    return [{ path: ['models', alias], severity: 'warning', message }]
  })
}

function findIdleAliases({ models, protocol }: Upstream): readonly Finding[] {
  if (protocol !== 'http' || Object.keys(models).length === 0) return []
  const message =
    'bodies pass as they are on protocol http; remove the names, or say which AI protocol it speaks'
  return [{ path: ['models'], message }]
}
