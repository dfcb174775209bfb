import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a server is started; `env` is added to a minimal environment. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The core of the server under test and the core of the mock and the load. */
export const SERVER_CORE = 0
export const LOAD_CORE = 1

export const pinned = availableParallelism() >= 2 && isInstalled('taskset')

const running = new Set<Running>()
let directory: string | undefined

/** A folder for this run's configuration files and logs, removed at the end. */
export function scratch(): string {
  directory ??= mkdtempSync(join(tmpdir(), 'tidegate-bench-'))
  return directory
}

export function isInstalled(program: string): boolean {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
  return spawnSync('which', [program], { env: { PATH: path } }).status === 0
}

/** Moves this process, with all its threads, to the load's core. */
export function pinSelf(): void {
  if (pinned) execFileSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)])
}

/** A server of this run. Its output goes to /dev/null or `stdout`, its errors to a file. */
export class Running {
  readonly #child: ChildProcess
  readonly #errors: string
  readonly #exited: Promise<void>

  /** Without a core it runs on any. */
  constructor(name: string, command: Command, core: number | undefined, stdout?: string) {
    this.#errors = join(scratch(), `${name}-${performance.now()}.err`)
    const pin = pinned && core !== undefined ? ['taskset', '-c', String(core)] : []
    const [file = command.file, ...args] = [...pin, command.file, ...command.args]
    const { PATH = '', HOME = '/' } = process.env
    const output = openSync(stdout ?? '/dev/null', 'a')
    const errors = openSync(this.#errors, 'a')
    this.#child = spawn(file, args, {
      cwd: scratch(),
      env: { PATH: `${PATH}:/usr/sbin:/sbin`, HOME, ...command.env },
      stdio: ['ignore', output, errors],
    })
    closeSync(output)
    closeSync(errors)
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.once('error', () => resolve())
    })
    running.add(this)
    void this.#exited.then(() => running.delete(this))
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  get alive(): boolean {
    return running.has(this)
  }

  /** The end of what the server wrote to its standard error. */
  errors(): string {
    return readFileSync(this.#errors, 'utf8').slice(-2000)
  }

  /** Asks the server to end and, after `graceMs`, ends it. */
  async stop(graceMs = 2000): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    await this.#exited
    clearTimeout(timer)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Ends every server of this run and removes its files; safe to call at any moment. */
export function cleanUp(): void {
  for (const server of running) server.kill()
  if (directory) rmSync(directory, { recursive: true, force: true })
  directory = undefined
}

/** Cleans up however this process ends, short of SIGKILL. */
export function cleanUpOnExit(): void {
  process.once('exit', cleanUp)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(130))
}

/** Resident memory of a process in bytes, or NaN where the system doesn't tell. */
export function rssOf(pid: number): number {
  try {
    const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return Number(kb ?? Number.NaN) * 1024
  } catch {
    return Number.NaN
  }
}

/** Processor time that a process has used, in milliseconds, or NaN where the system doesn't tell. */
export function cpuMsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return Number.NaN
  }
}

/** A loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
