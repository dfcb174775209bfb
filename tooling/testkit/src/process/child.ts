import { type ChildProcess, spawn } from 'node:child_process'
import { withTimeout } from './waiting.ts'

/** How a process ended: exactly one of the two is set. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface LaunchOptions {
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Numeric user and group to run as; only root may change them. */
  readonly runAs?: { readonly uid: number; readonly gid: number }
  /** Called with each piece of standard output as it arrives. */
  readonly onStdout?: (text: string) => void
}

const outputGraceMs = 1_000
const living = new Set<ChildProcess>()
let endsWithTheTestRun = false

function endWithTheTestRun(child: ChildProcess): void {
  living.add(child)
  if (endsWithTheTestRun) return
  endsWithTheTestRun = true
  process.once('exit', killLiving)
}

function killLiving(): void {
  for (const child of living) child.kill('SIGKILL')
}

/** One process started by a test, ended through its own handle and, at the latest, with the test run. */
export class ManagedProcess implements AsyncDisposable {
  /** Settles once the process has ended and its output has been read. Never rejects. */
  readonly exit: Promise<Exit>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #running = true

  constructor(options: LaunchOptions) {
    this.#child = spawn(options.command, options.args, {
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...options.runAs,
    })
    endWithTheTestRun(this.#child)
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      options.onStdout?.(text)
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.exit = this.#watchExit(options.command)
  }

  get pid(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error(`the process did not start: ${this.#stderr}`)
    return pid
  }

  get running(): boolean {
    return this.#running
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** What to show when a test fails because of this process. */
  get output(): string {
    return `--- stdout\n${this.#stdout}\n--- stderr\n${this.#stderr}`
  }

  /** Sends a signal; a process that has ended already is left in peace. */
  signal(name: NodeJS.Signals): void {
    if (this.#running) this.#child.kill(name)
  }

  /** Asks the process to end, and kills it when it has not done so after `graceMs`. */
  async end(signal: NodeJS.Signals = 'SIGTERM', graceMs = 5_000): Promise<Exit> {
    this.signal(signal)
    // A stopped process handles no signal but SIGKILL until it continues.
    this.signal('SIGCONT')
    const graceful = withTimeout(this.exit, graceMs, () => 'still running')
    return await graceful.catch(async () => {
      this.signal('SIGKILL')
      return await this.exit
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  #watchExit(command: string): Promise<Exit> {
    const { promise, resolve } = Promise.withResolvers<Exit>()
    const ended = () => {
      this.#running = false
      living.delete(this.#child)
    }
    this.#child.once('error', (error) => {
      if (this.#child.pid !== undefined) return
      ended()
      this.#stderr += `${command} did not start: ${error.message}\n`
      resolve({ code: 127, signal: null })
    })
    this.#child.once('exit', (code, signal) => {
      ended()
      // A grandchild may hold the pipes open for longer than anyone wants to wait.
      setTimeout(() => resolve({ code, signal }), outputGraceMs).unref()
    })
    this.#child.once('close', (code, signal) => resolve({ code, signal }))
    return promise
  }
}
