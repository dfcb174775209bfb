import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { root } from './workspace.ts'

const tools = join(root, 'node_modules', '.bin')

export interface CommandResult {
  readonly ok: boolean
  readonly stdout: string
  /** Both streams as they came, for a person. */
  readonly output: string
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Ends the process and fails once it has run this long. Default: 10 minutes. */
  readonly timeoutMs?: number
}

/** Runs a program to its end without a terminal or stdin. It never rejects: a program that can't be started is a failure with a reason. */
export function run(
  program: string,
  args: readonly string[],
  { cwd = root, env = process.env, timeoutMs = 600_000 }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: {
        ...env,
        PATH: `${tools}${delimiter}${env.PATH ?? ''}`,
        NO_COLOR: '1',
        FORCE_COLOR: '0',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let output = ''
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk
      output += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk
    })
    const finish = (ok: boolean, note: string) => {
      clearTimeout(timer)
      resolve({ ok, stdout, output: `${output}${note}`.trim() })
    }
    child.on('error', (error) => finish(false, `\n${program}: ${error.message}`))
    child.on('close', (code) => {
      const note = timedOut ? `\n${program} was still running after ${timeoutMs / 1000} s` : ''
      finish(code === 0 && !timedOut, note)
    })
  })
}

/** Runs the same pnpm that runs this script, or fetches the pinned one when there is none. */
export function pnpm(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return process.env.npm_config_user_agent?.startsWith('pnpm/')
    ? run('pnpm', args, options)
    : run('npx', ['-y', 'pnpm@12', ...args], options)
}

/** Applies `work` to each item, two at a time: this has to be kind to a machine with two cores. */
export async function inPairs<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Map<number, Result>()
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results.set(index, await work(item))
  }
  await Promise.all([worker(), worker()])
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result)
}
