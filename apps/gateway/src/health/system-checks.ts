import { dirname } from 'node:path'
import type { Health } from '@tidegate/health'
import {
  configurationCheck,
  connectionsCheck,
  diskCheck,
  eventLoopCheck,
  memoryCheck,
} from '@tidegate/health/checks'
import type { Settings } from '../config/settings.ts'

/** What the system checks look at. */
export interface SystemParts {
  readonly settings: Settings
  /** The process's environment. Absent: there is nothing in it. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** How many connections clients have open. */
  readonly connections: () => Promise<number>
}

/** A busy machine is no fault of the gateway's: its loop has to be late again and again. */
const LATE = { degradedFrom: 250, unhealthyFrom: 1_000 }
const PATIENT = { failures: 3, successes: 2 }

/** Only where log files are written anything is lost on a full disk. */
const UNUSED_DISK = { degradedFrom: 0.99, unhealthyFrom: 1 }

/** The check of what the environment has to have: nothing is right without it. */
export const CONFIGURATION = 'configuration'

/** Looks at the machine from where the gateway stands. Returns the names of what it registered. */
export function registerSystemChecks(health: Health, parts: SystemParts): readonly string[] {
  const { settings, connections, env = {} } = parts
  const { interval, required } = settings.health
  const options = { critical: false, interval }
  const { logFile } = settings
  const disk = logFile === undefined ? UNUSED_DISK : { path: dirname(logFile.file) }
  const max = settings.server.maxConnections
  health.register('memory', memoryCheck(), options)
  health.register('disk', diskCheck(disk), options)
  health.register('event_loop', eventLoopCheck(LATE), { ...options, damping: PATIENT })
  health.register('connections', connectionsCheck({ max, count: connections }), options)
  const names = ['memory', 'disk', 'event_loop', 'connections']
  if (required.length === 0) return names
  const configuration = configurationCheck({ required, env })
  health.register(CONFIGURATION, configuration, { ...options, critical: true })
  return [...names, CONFIGURATION]
}
