import type { Variables } from '@tidegate/config'
import type { Settings } from '../config/settings.ts'
import { type Command, parseCommand } from './arguments.ts'
import { HELP } from './help.ts'

const LISTEN_NAMES = { host: 'COMPANION_HOST', port: 'COMPANION_PORT' }

/** What a command line works with. */
export interface Shell {
  readonly env: Variables
  readonly cwd: string
  /** Whether a person reads what stdout shows. */
  readonly tty: boolean
  readonly version: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

const FINE = 0
const FAILED = 1
const MISUSED = 2

/** Does what a command line asks and answers with the exit code; after a start the process goes on. */
export async function runCommand(argv: readonly string[], shell: Shell): Promise<number> {
  const command = parseCommand(argv)
  switch (command.name) {
    case 'help':
      shell.out(HELP)
      return FINE
    case 'version':
      shell.out(`${shell.version}\n`)
      return FINE
    case 'misused':
      shell.err(`tidegate-companion: ${command.message}\nSee tidegate-companion help.\n`)
      return MISUSED
    case 'check':
      return await check(command.json, shell)
    default:
      return await attempt(command, shell)
  }
}

type Working = Exclude<Command, { readonly name: 'help' | 'version' | 'misused' | 'check' }>

/** What can fail on the way is said in one line. */
async function attempt(command: Working, shell: Shell): Promise<number> {
  try {
    return await work(command, shell)
  } catch (error) {
    const { describeStartFailure } = await import('@tidegate/server/node')
    shell.err(`tidegate-companion: ${describeStartFailure(error, LISTEN_NAMES)}\n`)
    if (isOn(shell.env.DEBUG) && error instanceof Error) shell.err(`${error.stack}\n`)
    return FAILED
  }
}

// Each command's code is loaded only when it is asked for.
async function work(command: Working, shell: Shell): Promise<number> {
  const { checkSettings } = await import('../config/settings.ts')
  const { settings, report } = checkSettings(shell)
  if (settings === undefined) {
    shell.err(`${report.toText()}\n`)
    return FAILED
  }
  if (command.name === 'start') {
    const { startCompanion } = await import('../main.ts')
    const warnings = report.warnings.map(({ message }) => message)
    await startCompanion({ settings, warnings, tty: shell.tty })
    return FINE
  }
  return await maintain(command, settings, shell)
}

async function maintain(
  command: Exclude<Working, { readonly name: 'start' }>,
  settings: Settings,
  shell: Shell,
): Promise<number> {
  switch (command.name) {
    case 'db migrate':
      return await (await import('./database.ts')).migrate(settings, shell)
    case 'db verify':
      return await (await import('./database.ts')).verify(settings, shell)
    case 'db snapshot':
      return await (await import('./database.ts')).snapshot(settings, shell)
    case 'db restore':
      return await (await import('./database.ts')).restore(settings, command, shell)
    case 'keys create':
      return await (await import('./keys.ts')).createAdminKey(settings, command, shell)
    case 'audit export':
      return await (await import('./audit.ts')).exportAudit(settings, shell)
    case 'audit verify':
      return await (await import('./audit.ts')).verifyAuditFile(settings, command, shell)
  }
}

async function check(json: boolean, shell: Shell): Promise<number> {
  const { checkSettings } = await import('../config/settings.ts')
  const { settings, report } = checkSettings(shell)
  const { profile, problems, warnings } = report
  const valid = settings !== undefined
  if (json) shell.out(`${JSON.stringify({ valid, profile, problems, warnings }, null, 2)}\n`)
  else shell.out(`${report.toText()}\n`)
  return valid ? FINE : FAILED
}

// Before the configuration is read, and when it could not be.
function isOn(flag: string | undefined): boolean {
  return flag !== undefined && /^(1|true|yes|on)$/i.test(flag)
}
