import { createHealth, type HealthChange, type HealthStatus } from '@tidegate/health'
import type { Logger } from '@tidegate/logger'
import type { Component, Look, Looks } from './component.ts'
import { registerNamedChecks } from './named-checks.ts'
import { openShedding, type Shedding } from './shedding.ts'
import { CONFIGURATION, registerSystemChecks, type SystemParts } from './system-checks.ts'
import { type OwnParts, trafficLooks, upstreamLooks } from './traffic-looks.ts'

/** What health is told of. */
export interface HealthParts extends OwnParts, SystemParts {
  readonly logger: Logger
}

/** How the gateway stands, and with it what it hangs on. */
export interface GatewayHealth {
  /** Everything that can be looked at, by name. */
  readonly looks: Looks
  /** The upstreams among them. */
  readonly upstreams: Looks
  /** What is known of each component, without asking anybody: for metrics. */
  snapshot(): ReadonlyMap<string, HealthStatus>
  /** What everybody may know. */
  summary(): Summary
  /** Whether a database is checked. */
  readonly hasDatabase: boolean
  /** How long a database took to answer a check, if one is checked and answers. */
  databaseLatency(): number | undefined
  /** Absent: no request is ever refused for the others' sake. */
  readonly shedding: Shedding | undefined
  /** How many connections clients have open. */
  connections(): Promise<number>
  close(): Promise<void>
}

/** The whole in a few words. */
interface Summary {
  /** What no request can be served without, and isn't there. */
  readonly failing: readonly string[]
  /** What the gateway goes on without: no reason to send requests elsewhere. */
  readonly degraded: readonly string[]
}

/** What checks of the configuration are called where everybody can read it: their names are not everybody's. */
const CHECKS = 'checks'

/** Begins to look at everything, in the background. */
export async function openHealth(parts: HealthParts): Promise<GatewayHealth> {
  const { settings, logger, redis, limits, connections } = parts
  const errors = new Map<string, unknown>()
  const health = createHealth({
    onChange: (change) => logChange(logger, change, errors.get(change.name)),
    onError: (name, error) => errors.set(name, error),
  })
  const system = registerSystemChecks(health, parts)
  const closeChecks = await registerNamedChecks(health, settings.health.checks)
  const shedding = openShedding(settings.health.shedding, logger)
  const upstreams = upstreamLooks(parts)
  const checked = health.names.map((name): [string, Look] => [
    name,
    {
      now: async (): Promise<Component> => ({ ...(await health.run(name)) }),
      known: () => health.last(name)?.status,
    },
  ])
  const looks = new Map([...trafficLooks(parts), ...checked, ...upstreams])
  const named = settings.health.checks
  const judged: readonly Judged[] = [
    ...system.map((name) => ({ name, shown: name, critical: name === CONFIGURATION })),
    ...named.map(({ name, critical }) => ({ name, shown: CHECKS, critical })),
  ]
  const databases = named.filter(({ target }) => target.kind === 'mongodb')
  return {
    ...{ looks, upstreams, shedding, connections },
    snapshot: () => {
      const known = [...looks].map(([name, look]) => [name, look.known()] as const)
      return new Map(known.flatMap(([name, status]) => (status ? [[name, status]] : [])))
    },
    hasDatabase: databases.length > 0,
    summary: () => ({
      failing: shownOf(judged.filter(({ name, critical }) => critical && !isAtWork(name))),
      degraded: [
        ...(redis?.available === false ? ['redis'] : []),
        ...(limits.available ? [] : ['limits']),
        ...shownOf(judged.filter(isWorse)),
      ],
    }),
    databaseLatency: () => {
      const answered = databases.map(({ name }) => health.last(name))
      return answered.find((last) => last !== undefined && last.status !== 'unhealthy')?.latency_ms
    },
    close: async () => {
      health.close()
      shedding?.close()
      await closeChecks()
    },
  }

  /** Before its first look nobody knows, so that it is not. */
  function isAtWork(name: string): boolean {
    const status = health.last(name)?.status
    return status !== undefined && status !== 'unhealthy'
  }

  /** A machine that is merely busy is told to operators alone. */
  function isWorse({ name, shown, critical }: Judged): boolean {
    const status = health.last(name)?.status
    return status === 'unhealthy' ? !critical : status === 'degraded' && shown === CHECKS
  }
}

interface Judged {
  readonly name: string
  /** What everybody is told in its place. */
  readonly shown: string
  readonly critical: boolean
}

function shownOf(judged: readonly Judged[]): readonly string[] {
  return [...new Set(judged.map(({ shown }) => shown))]
}

/** Each turn once; that all is well at the start is no news. */
function logChange(logger: Logger, change: HealthChange, thrown: unknown): void {
  const { name, from, to, result } = change
  if (from === undefined && to === 'healthy') return
  const { error, latency_ms } = result
  const facts = { component: name, from, to, error_code: error?.code, latency_ms }
  if (to === 'healthy') logger.info(facts, 'a component is healthy again')
  else {
    const err = to === 'unhealthy' ? thrown : undefined
    logger.warn({ ...facts, reason: error?.message, err }, `a component is ${to}`)
  }
}
