import { styleText } from 'node:util'
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
    `→ ${describeUpstream(route, upstreams)}`,
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

function describeUpstream(route: RouteSettings, upstreams: readonly UpstreamSettings[]): string {
  const upstream = upstreams.find(({ name }) => name === route.upstream)
  if (upstream?.demo === true) {
    return 'local demo model, no AI: set OPENAI_API_KEY for a real one'
  }
  return `${route.upstream} (${upstream?.endpoint.url.host})`
}

const authWords: Readonly<Record<RouteSettings['auth'], string>> = {
  required: 'client key required',
  optional: 'client key optional',
  none: 'no client key',
}
