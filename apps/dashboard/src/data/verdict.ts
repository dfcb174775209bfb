import { percent } from '../format/number.ts'
import { counted, shortName, words } from '../format/text.ts'
import { duration } from '../format/time.ts'
import { connection } from './connection.ts'
import type { Component, Endpoint, Upstream } from './health.ts'
import type { Anomaly } from './incidents.ts'
import { metricName, metricValue } from './metrics.ts'
import type { State } from './state.ts'
import { type Target, targets } from './targets.ts'

type Level = 'good' | 'note' | 'warning' | 'critical' | 'unknown'

/** One thing that isn't as it should be. */
export interface Finding {
  readonly key: string
  readonly level: 'note' | 'warning' | 'critical'
  readonly what: string
  readonly why: string
  /** By the gateway's clock; nothing when it isn't known. */
  readonly sinceAt: number | null
  /** It was so already when the page first saw it. */
  readonly earlier?: boolean
}

/** The answer to "is it all right?", with the reasons, the gravest first. */
export interface Verdict {
  readonly level: Level
  readonly title: string
  readonly findings: readonly Finding[]
}

const gravity = { critical: 0, warning: 1, note: 2 } as const

/** Sums up what is known. Missed targets that clients cause, and a cold cache, are told without alarm. */
export function verdict(state: State): Verdict {
  const link = connection(state)
  if (link.kind === 'lost') return { level: 'critical', title: 'No answer', findings: [] }
  if (state.components === undefined && state.upstreams === undefined) {
    return { level: 'unknown', title: 'Looking', findings: [] }
  }
  const findings = allFindings(state)
  const worst = findings[0]?.level ?? 'good'
  const level = state.draining && worst !== 'critical' ? 'warning' : worst
  return { level, title: state.draining ? 'Draining' : titles[level], findings }
}

const titles = {
  good: 'Healthy',
  note: 'Healthy',
  warning: 'Degraded',
  critical: 'Unhealthy',
} as const

function allFindings(state: State): readonly Finding[] {
  const { upstreams = [], components = [], anomalies } = state
  const goals = targets(state)
  // Clients don't notice it: others take over.
  const covered = goals.some(({ key, state: held }) => key === 'errors' && held === 'met')
  const findings = [
    ...upstreams.flatMap((each) => upstreamFinding(each, covered)),
    ...components.flatMap(componentFinding),
    ...goals.flatMap(targetFinding),
    ...systemFindings(state),
    ...(anomalies?.active ?? []).map(anomalyFinding),
  ]
  return findings.sort((one, other) => gravity[one.level] - gravity[other.level])
}

function upstreamFinding(upstream: Upstream, covered: boolean): readonly Finding[] {
  const { name, status, endpoints } = upstream
  if (status === 'healthy' || status === 'unknown') return []
  const bad = endpoints.filter((each) => each.status !== 'healthy')
  const all = bad.length === endpoints.length
  const named = `Upstream ${shortName(name)}`
  return [
    {
      key: `upstream ${name}`,
      level: status === 'unhealthy' && !covered ? 'critical' : 'warning',
      what: all
        ? `${named} fails`
        : `${named}: ${bad.length} of ${counted(endpoints.length, 'endpoint')} fail${bad.length === 1 ? 's' : ''}`,
      why: bad.slice(0, 2).map(endpointReason).join('; ') || words(upstream.lastFailure ?? ''),
      sinceAt: earliest(bad.map(failingSince)),
    },
  ]
}

/** Its last good answer is the last time it is known to have worked. */
function failingSince({ lastAnswerAt, lastFailureAt }: Endpoint): number | null {
  return lastAnswerAt ?? lastFailureAt
}

function endpointReason({ host, breaker, probeInMs, lastFailure }: Endpoint): string {
  const state =
    breaker === 'open'
      ? `breaker open${probeInMs === null ? '' : `, tried again in ${duration(probeInMs)}`}`
      : breaker === 'half-open'
        ? 'breaker half open, being tried'
        : 'last attempt failed'
  const reason = lastFailure === null ? '' : `, last failure: ${words(shortName(lastFailure))}`
  return `${shortName(host, 40)}: ${state}${reason}`
}

function componentFinding(component: Component): readonly Finding[] {
  const { name, status, critical, reason, sinceAt, seenAt } = component
  if (status === 'healthy' || status === 'unknown') return []
  return [
    {
      key: `component ${name}`,
      level: status === 'unhealthy' && critical ? 'critical' : 'warning',
      what: `${componentName(name)} ${status === 'unhealthy' ? 'is down' : 'is degraded'}`,
      why: reason === null ? 'No reason is given.' : words(shortName(reason, 160)),
      sinceAt: sinceAt ?? seenAt,
      earlier: sinceAt === null,
    },
  ]
}

export function componentName(name: string): string {
  const known: Readonly<Record<string, string>> = {
    redis: 'Redis',
    limits: 'The limits’ store',
    cache: 'The cache',
    auth: 'The token issuers’ keys',
    process: 'The process',
    memory: 'Memory',
    disk: 'The disk',
    event_loop: 'The event loop',
    connections: 'Connections',
  }
  return Object.hasOwn(known, name) ? (known[name] ?? name) : shortName(name)
}

function targetFinding({
  key,
  name,
  state,
  severe,
  figure,
  goal,
  about,
  sinceAt,
}: Target): readonly Finding[] {
  if (state !== 'missed') return []
  const mild = key === 'cache' || key === 'violations'
  return [
    {
      key: `target ${key}`,
      level: severe ? 'critical' : mild ? 'note' : 'warning',
      what: `${name}: ${figure}, target ${goal}`,
      why: about,
      sinceAt,
    },
  ]
}

const SLOW_LOOP_MS = 200
const FULL_MEMORY = 0.9
const FULL_DISK = 0.95

function systemFindings({ figures }: State): readonly Finding[] {
  if (figures === undefined) return []
  const { delayP99Ms, rssBytes, limitBytes, diskFreeBytes, diskSizeBytes } = figures.system
  const findings: Finding[] = []
  const warn = (key: string, what: string, why: string): void => {
    findings.push({ key: `system ${key}`, level: 'warning', what, why, sinceAt: null })
  }
  if (delayP99Ms !== null && delayP99Ms >= SLOW_LOOP_MS) {
    warn(
      'loop',
      `The process answers late: ${duration(delayP99Ms)}, p99`,
      'Its event loop is short of CPU.',
    )
  }
  const memory = share(rssBytes, limitBytes)
  if (memory !== null && memory >= FULL_MEMORY) {
    warn('memory', `Memory is ${percent(memory)} full`, 'Beyond its limit the process is ended.')
  }
  const disk = share(diskFreeBytes, diskSizeBytes)
  if (disk !== null && 1 - disk >= FULL_DISK) {
    warn('disk', `The disk is ${percent(1 - disk)} full`, 'Logs can’t be written to a full one.')
  }
  return findings
}

/** A part of a whole that is known and isn't nothing. */
export function share(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole <= 0 ? null : part / whole
}

function anomalyFinding({ metric, value, expected, sinceAt }: Anomaly): Finding {
  const usual = expected === null ? '' : `, usually ${metricValue(metric, expected)}`
  return {
    key: `anomaly ${metric}`,
    level: 'warning',
    what: `${metricName(metric)} is unusual`,
    why: `${metricValue(metric, value)}${usual}`,
    sinceAt,
  }
}

function earliest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((at) => at !== null)
  return known.length === 0 ? null : Math.min(...known)
}
