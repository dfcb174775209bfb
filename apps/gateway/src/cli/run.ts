import type { Problem, Variables } from '@tidegate/config'
import type { CheckedSettings } from '../config/load.ts'
import type { Settings } from '../config/settings.ts'
import { type Command, parseCommand } from './arguments.ts'
import { helpPage } from './help.ts'

const LISTEN_NAMES = { host: 'HOST', port: 'PORT' }

/** What a command line works with. */
export interface Shell {
  readonly env: Variables
  readonly cwd: string
  /** Whether a person reads what stdout shows. */
  readonly tty: boolean
  readonly version: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Serves until a signal. Its code is loaded only when it is asked for. */
  readonly start: (options: {
    readonly settings: Settings
    readonly warnings: readonly string[]
    readonly tty: boolean
  }) => Promise<unknown>
}

const FINE = 0
const FAILED = 1
const MISUSED = 2

/** Does what a command line asks and answers with the exit code; after a start the process goes on. */
export function runCommand(argv: readonly string[], shell: Shell): Promise<number> {
  const command = parseCommand(argv)
  switch (command.name) {
    case 'start':
      return start(command, shell)
    case 'check':
      return check(command, shell)
    case 'help':
      shell.out(helpPage(command.topic))
      return Promise.resolve(FINE)
    case 'version':
      shell.out(`${shell.version}\n`)
      return Promise.resolve(FINE)
    case 'misused':
      shell.err(explainMisuse(command))
      return Promise.resolve(MISUSED)
  }
}

type Named<Name extends Command['name']> = Extract<Command, { readonly name: Name }>

async function start({ config }: Named<'start'>, shell: Shell): Promise<number> {
  try {
    const { settings, report, describe } = await read(config, shell)
    if (settings === undefined) {
      shell.err(`${report.toText()}\n`)
      return FAILED
    }
    await shell.start({ settings, warnings: report.warnings.map(describe), tty: shell.tty })
    return FINE
  } catch (error) {
    const { describeStartFailure } = await import('@tidegate/server/node')
    shell.err(`tidegate: ${describeStartFailure(error, LISTEN_NAMES)}\n`)
    if (isOn(shell.env.DEBUG) && error instanceof Error) shell.err(`${error.stack}\n`)
    return FAILED
  }
}

async function check({ file, json }: Named<'check'>, shell: Shell): Promise<number> {
  const { settings, report } = await read(file, shell)
  const { profile, problems, warnings } = report
  const valid = settings !== undefined
  if (json) shell.out(`${JSON.stringify({ valid, profile, problems, warnings }, null, 2)}\n`)
  else shell.out(`${report.toText()}\n`)
  return valid ? FINE : FAILED
}

async function read(
  file: string | undefined,
  { env, cwd }: Shell,
): Promise<CheckedSettings & { readonly describe: (problem: Problem) => string }> {
  const [{ checkSettings }, { describeProblem }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/report.ts'),
  ])
  return { ...(await checkSettings({ env, cwd, file })), describe: describeProblem }
}

function explainMisuse({ message, topic }: Named<'misused'>): string {
  return `tidegate: ${message}\nSee tidegate ${topic === undefined ? '' : `${topic} `}--help.\n`
}

// Before the configuration is read, and when it could not be.
function isOn(flag: string | undefined): boolean {
  return flag !== undefined && /^(1|true|yes|on)$/i.test(flag)
}
