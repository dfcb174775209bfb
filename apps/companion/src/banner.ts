import { styleText } from 'node:util'

/** What a banner tells of. */
export interface BannerOptions {
  /** Where the companion listens, with the real port. */
  readonly url: string
  readonly profile: string
  readonly kind: 'embedded' | 'postgres'
  /** Where an embedded database is. */
  readonly directory: string
  /** Where the first key is, if there is one that nobody else has. */
  readonly adminKeyFile: string | undefined
  /** One sentence each. */
  readonly warnings: readonly string[]
  /** Whether the terminal shows colours. */
  readonly color: boolean
}

/** What a person on a terminal sees at start: where, on what, and one request to try. */
export function banner(options: BannerOptions): string {
  const { url, profile, kind, directory, adminKeyFile, warnings, color } = options
  const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(format, text, { validateStream: false }) : text
  const place = kind === 'embedded' ? `an embedded database in ${shown(directory)}` : 'PostgreSQL'
  const key = adminKeyFile === undefined ? 'KEY' : `$(cat ${quoted(adminKeyFile)})`
  const blocks = [
    `${paint('bold', 'Tidegate companion')} listens on ${paint(['bold', 'cyan'], url)}`,
    `Data in ${place}, profile ${profile}`,
    ...(adminKeyFile === undefined ? [] : [`The first admin key is in ${shown(adminKeyFile)}`]),
    `Try it:\ncurl -H "authorization: Bearer ${key}" ${url}/api/v1/keys`,
    `Everything else: ${url}/docs`,
    ...warnings.map((warning) => `${paint('yellow', 'warning:')} ${warning}`),
  ]
  return `\n${blocks.map((block) => block.replace(/^/gm, '  ')).join('\n\n')}\n`
}

/** A path on one line, without what could drive a terminal. */
function shown(path: string): string {
  return JSON.stringify(path).slice(1, -1)
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
