import { parseArgs } from 'node:util'

/** What a command line asks for. */
export type FaultsCommand =
  | { readonly name: 'serve' | 'list'; readonly port: number; readonly via: string | undefined }
  | { readonly name: 'help' }
  | { readonly name: 'misused'; readonly message: string }

export const defaultPort = 9099

const options = {
  port: { type: 'string', short: 'p' },
  via: { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Understands a command line. It never throws: what it can't follow is `misused`, in one sentence. */
export function parseFaultsCommand(argv: readonly string[]): FaultsCommand {
  try {
    // A package manager may pass its own `--` on.
    const args = argv[0] === '--' ? argv.slice(1) : [...argv]
    const { values } = parseArgs({ args, options, strict: true, allowPositionals: false })
    if (values.help === true) return { name: 'help' }
    const port = readPort(values.port)
    const via = readOrigin(values.via)
    return { name: values.list === true ? 'list' : 'serve', port, via }
  } catch (error) {
    return { name: 'misused', message: oneLine(error) }
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined) return defaultPort
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new Error(`--port takes a number from 1 to 65535, or 0 for a free one; not ${show(text)}.`)
}

function readOrigin(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '')
  throw new Error(
    `--via takes your gateway's address, like http://127.0.0.1:8000; not ${show(text)}.`,
  )
}

/** The first sentence, without what could drive a terminal. */
function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const sentence = /^[^\n]*?(?=\. |\n|$)/.exec(text)?.[0] ?? ''
  return `${sentence
    .slice(0, 200)
    .replace(/\p{Cc}/gu, '?')
    .replace(/\.$/, '')}.`
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}
