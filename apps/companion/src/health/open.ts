import { createHealth, type Health } from '@tidegate/health'
import { diskCheck, eventLoopCheck, memoryCheck } from '@tidegate/health/checks'
import type { Logger } from '@tidegate/logger'
import type { Settings } from '../config/settings.ts'

/** What health looks at. */
export interface HealthParts {
  readonly settings: Settings
  readonly version: string
  readonly logger: Logger
  readonly database: {
    readonly kind: 'embedded' | 'postgres'
    probe(): Promise<unknown>
  }
  readonly isDraining: () => boolean
}

const NOT_SAFE = {
  code: 'not_power_loss_safe',
  message: 'The embedded database may be damaged by a loss of power: set DATABASE_URL.',
}

/** Begins to look at everything, in the background. */
export function openHealth(parts: HealthParts): Health {
  const { settings, version, logger, database, isDraining } = parts
  const errors = new Map<string, unknown>()
  const health = createHealth({
    ...{ version, isDraining },
    onError: (name, error) => errors.set(name, error),
    onChange: ({ name, from, to, result }) => {
      if (from === undefined && to === 'healthy') return
      const facts = { component: name, from, to, error_code: result.error?.code }
      if (to === 'healthy') logger.info(facts, 'a component is healthy again')
      else logger.warn({ ...facts, err: errors.get(name) }, `a component is ${to}`)
    },
  })
  health.register(
    'database',
    async () => {
      await database.probe()
      return { details: { kind: database.kind } }
    },
    { critical: true, timeout: '5s', slow: '1s', interval: '5s', ttl: '2s' },
  )
  const beside = { critical: false, interval: '15s' } as const
  health.register('memory', memoryCheck(), beside)
  health.register('event_loop', eventLoopCheck(), beside)
  if (database.kind === 'embedded') {
    health.register('disk', diskCheck({ path: settings.directory }), beside)
  }
  if (database.kind === 'embedded' && settings.profile === 'production') {
    const outcome = { status: 'degraded', error: NOT_SAFE } as const
    health.register('durability', () => outcome, { critical: false, ttl: '1h' })
  }
  return health
}
