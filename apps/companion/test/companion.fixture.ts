import { fileURLToPath } from 'node:url'
import { type Exit, ManagedProcess, temporaryFolder, withTimeout } from '@tidegate/testkit'

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))

/** Starting an embedded database takes seconds, on a busy machine more. */
const START_MS = 120_000

/** For tests and hooks that start several of them, one after the other. */
export const SEVERAL_STARTS_MS = 5 * START_MS

/** The environment by which a command works, beside the folder of its data. */
export type Environment = Readonly<Record<string, string>>

/** A companion as an operator starts it, listening on a port of its own. */
export interface TestCompanion extends AsyncDisposable {
  readonly url: string
  /** The JSON lines that it has logged so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  readonly process: ManagedProcess
}

function launch(
  args: readonly string[],
  directory: string,
  env: Environment,
  onStdout: (text: string) => void = () => {},
): ManagedProcess {
  return new ManagedProcess({
    command: process.execPath,
    args: ['--conditions=@tidegate/source', CLI, ...args],
    cwd: directory,
    env: {
      ...{ PATH: process.env.PATH ?? '', ENVIRONMENT: 'test', LOG_LEVEL: 'info' },
      ...{ COMPANION_PORT: '0', COMPANION_DATA_DIR: directory },
      ...env,
    },
    onStdout,
  })
}

/** Runs a command to its end. */
export async function run(
  args: readonly string[],
  directory: string,
  env: Environment = {},
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  await using command = launch(args, directory, env)
  const exit = await withTimeout(command.exit, START_MS, () => `no end: ${command.output}`)
  return { ...exit, stdout: command.stdout, stderr: command.stderr }
}

/** Starts a companion on a folder, and waits until it listens. */
export async function startOn(directory: string, env: Environment = {}): Promise<TestCompanion> {
  const lines: Record<string, unknown>[] = []
  const listening = Promise.withResolvers<string>()
  let rest = ''
  const child = launch(['start'], directory, env, (text) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const line: Record<string, unknown> = JSON.parse(part)
      lines.push(line)
      if (line.message === 'listening') listening.resolve(String(line.url))
    }
  })
  const ended = child.exit.then((): never => {
    throw new Error(`the companion ended: ${child.output}`)
  })
  const url = await withTimeout(
    Promise.race([listening.promise, ended]),
    START_MS,
    () => `the companion does not listen: ${child.output}`,
  )
  ended.catch(() => {})
  return {
    ...{ url, log: lines, process: child },
    [Symbol.asyncDispose]: async () => {
      await child.end('SIGTERM', 20_000)
    },
  }
}

/** Starts a companion on a folder of its own, which goes with it. */
export async function startCompanion(env: Environment = {}): Promise<TestCompanion> {
  const folder = await temporaryFolder('companion')
  const companion = await startOn(folder.path, env)
  return {
    ...companion,
    [Symbol.asyncDispose]: async () => {
      await companion[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** A key that the environment of a test's companion names. */
export const ADMIN_KEY = 'the-admin-key-of-these-tests'
