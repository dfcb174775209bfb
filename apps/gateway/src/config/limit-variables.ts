import { defineConfig, type Finding, field, known } from '@tidegate/config'
import { boolean, duration, integer } from '@tidegate/config/fields'
import { z } from 'zod'
import type { GatewayInput } from './schema/gateway.ts'
import { LONGEST_MS } from './schema/server.ts'

const COUNT = { min: 1, max: 1_000_000 }

const limits = z
  .strictObject({
    enabled: field(boolean().default(true), {
      env: 'RATE_LIMIT_ENABLED',
      description: 'Whether each address (IPv6: each /56 network) is limited.',
    }),
    perMinute: field(integer(COUNT).optional(), {
      env: 'RATE_LIMIT_PER_MINUTE',
      description:
        'How many requests of an address pass in a minute, spread over it after the first ones. Unset: 100. To have as many in a window of any length, however they come, set `RATE_LIMIT_REQUESTS` and `RATE_LIMIT_WINDOW` instead.',
      dotenv: '90',
    }),
    burst: field(integer(COUNT).optional(), {
      env: 'RATE_LIMIT_BURST',
      description: 'How many of them pass at once after a pause. Unset: 10.',
      dotenv: '10',
    }),
    requests: field(integer(COUNT).optional(), {
      env: 'RATE_LIMIT_REQUESTS',
      description:
        'Instead of `RATE_LIMIT_PER_MINUTE`: how many requests of an address pass in any `RATE_LIMIT_WINDOW`, however they come. Unset: 100, when the window is set.',
    }),
    window: field(duration({ unit: 's', min: 1000, max: LONGEST_MS }).optional(), {
      env: 'RATE_LIMIT_WINDOW',
      description: 'That window, in seconds or as `5m`. Unset: 60, when the requests are set.',
    }),
  })
  .prefault({})

type LimitVariables = z.output<typeof limits>

/** The variables that limit addresses when there is no file. */
export const limitsDefinition = defineConfig({
  name: 'tidegate',
  schema: z.strictObject({ limits }),
  refine: [findBoth, findIdleBurst],
})

/** The same variables when a file says what is limited: known, and without effect. */
export const idleLimitsDefinition = defineConfig({
  name: 'tidegate',
  schema: limitsDefinition.schema,
  refine: findAll,
})

interface Draft {
  readonly limits: LimitVariables
}

const WINDOW = ['requests', 'window'] as const

function findBoth({ limits: given }: Draft): readonly Finding[] {
  const other = WINDOW.find((name) => given[name] !== undefined)
  if (given.perMinute === undefined || other === undefined) return []
  const message = `${other === 'window' ? 'RATE_LIMIT_WINDOW' : 'RATE_LIMIT_REQUESTS'} is set as well, and RATE_LIMIT_PER_MINUTE says the same in another way; remove one of them`
  return [{ path: ['limits', 'perMinute'], message }]
}

function findIdleBurst({ limits: given }: Draft): readonly Finding[] {
  if (given.burst === undefined || WINDOW.every((name) => given[name] === undefined)) return []
  const message =
    'set, but has no effect with RATE_LIMIT_REQUESTS and RATE_LIMIT_WINDOW, which let all of them pass at once'
  return [{ path: ['limits', 'burst'], severity: 'warning', message }]
}

function findAll({ limits: given }: Draft): readonly Finding[] {
  const names = ['perMinute', 'burst', ...WINDOW] as const
  const set = [
    ...names.filter((name) => given[name] !== undefined),
    ...(given.enabled ? [] : (['enabled'] as const)),
  ]
  return set.map((name) => ({
    path: ['limits', name],
    severity: 'warning',
    message: 'set, but has no effect, as the file says under limits what is limited',
  }))
}

/** What the variables' limit is called. */
const ENVIRONMENT_LIMIT = 'per-ip'

/** The limit that the variables describe, as a file would say it; nothing where they say so. */
export function limitsFromEnvironment(draft: Draft): NonNullable<GatewayInput['limits']> {
  return known(() => describe(draft.limits)) ?? {}
}

function describe(given: LimitVariables): NonNullable<GatewayInput['limits']> {
  if (!given.enabled) return {}
  const { perMinute = 100, burst = 10, requests, window } = given
  if (requests === undefined && window === undefined) {
    return { [ENVIRONMENT_LIMIT]: { by: 'ip', rate: `${perMinute}/1m`, burst } }
  }
  const rate = `${requests ?? 100}/${window ?? 60_000}ms`
  return { [ENVIRONMENT_LIMIT]: { by: 'ip', rate, algorithm: 'sliding-window' } }
}
