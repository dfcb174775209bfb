import { styleText } from 'node:util'
import { isLimiting } from './config/limit-rules.ts'
import type { RouteSettings, Settings, UpstreamSettings } from './config/settings.ts'
import { firstRequest } from './first-request.ts'

/** What a banner tells of. */
export interface BannerOptions {
  readonly settings: Settings
  /** Where the gateway listens, with the real port. */
  readonly url: string
  /** One sentence each. */
  readonly warnings: readonly string[]
  /** Whether the terminal shows colours. */
  readonly color: boolean
}

/** What a person on a terminal sees at start: where, to what, and one request to try. */
export function banner({ settings, url, warnings, color }: BannerOptions): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(format, text, { validateStream: false }) : text
  const blocks = [
    `${paint('bold', 'Tidegate')} listens on ${paint(['bold', 'cyan'], url)}`,
    `${describeSource(settings)}, profile ${settings.profile}`,
    describeRoutes(settings).join('\n'),
    ...describeLimits(settings),
    `Try it:\n${firstRequest(settings, url)}`,
    ...warnings.map((warning) => `${paint('yellow', 'warning:')} ${warning}`),
  ]
  return `\n${blocks.map((block) => block.replace(/^/gm, '  ')).join('\n\n')}\n`
}

function describeSource({ configFile }: Settings): string {
  return configFile === undefined
    ? 'Configured by the environment'
    : `Configured by ${JSON.stringify(configFile).slice(1, -1)} and the environment`
}

function describeRoutes({ routes, upstreams }: Settings): readonly string[] {
  const rows = routes.map((route) => [
    route.match,
    `→ ${describeUpstreams(route, upstreams)}`,
    authWords[route.auth],
  ])
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Whoever starts a second process would otherwise believe in limits that hold for both. */
function describeLimits(settings: Settings): readonly string[] {
  if (!isLimiting(settings)) return []
  if (settings.redis !== undefined) return ['Limits are shared over Redis']
  return ['Limits are kept in memory, per process: set REDIS_URL to share them']
}

function describeUpstreams(route: RouteSettings, upstreams: readonly UpstreamSettings[]): string {
  return route.upstreams
    .map((name) =>
      describeUpstream(
        name,
        upstreams.find((each) => each.name === name),
      ),
    )
    .join(', then ')
}

function describeUpstream(name: string, upstream: UpstreamSettings | undefined): string {
  if (upstream?.demo === true) {
    return 'local demo model, no AI: set OPENAI_API_KEY for a real one'
  }
  const [first, ...others] = upstream?.endpoints ?? []
  const place = others.length === 0 ? first?.url.host : `${others.length + 1} endpoints`
  return `${name} (${place})`
}

const authWords: Readonly<Record<RouteSettings['auth'], string>> = {
  required: 'client key required',
  optional: 'client key optional',
  none: 'no client key',
}
