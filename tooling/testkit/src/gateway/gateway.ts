import { get } from 'node:http'
import { fileURLToPath } from 'node:url'
import { freePort } from '../net/free-port.ts'
import { type Exit, ManagedProcess } from '../process/child.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { pollUntil } from '../process/waiting.ts'
import { type GatewayConfig, prepareConfig } from './gateway-config.ts'
import { type LogRecord, LogStream } from './log-stream.ts'

const builtGateway = fileURLToPath(new URL('../../../../apps/gateway/dist/cli.js', import.meta.url))
/** A guard against hanging: a busy machine may take its time. */
const readyTimeoutMs = 60_000

export interface GatewayOptions {
  /** Written to a file and given as `--config`. Without it the environment alone configures. */
  readonly config?: GatewayConfig
  /** Added to PATH and HOME, which are all that is passed on. */
  readonly env?: Readonly<Record<string, string>>
  /** More arguments, after `start`. */
  readonly args?: readonly string[]
  /** Default: an empty folder, so that no `.env` is found by accident. */
  readonly cwd?: string
  /** The script to run in place of the built gateway. */
  readonly script?: string
  /** How long it may take to become ready, in ms. Default 60000. */
  readonly timeoutMs?: number
  /** How long it may take to end after SIGTERM when disposed of, in ms. Default 5000. */
  readonly graceMs?: number
}

/** A gateway in a process of its own. */
export interface RunningGateway extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** Milliseconds from the start of the process until `/readyz` said 200. */
  readonly readyAfterMs: number
  /** Standard output's JSON lines, in order. */
  readonly logs: readonly LogRecord[]
  /** All of standard output and standard error, as text. */
  readonly stdout: string
  readonly stderr: string
  /** The first log record, past or future, that matches. */
  readonly waitForLog: (
    matches: (record: LogRecord) => boolean,
    timeoutMs?: number,
  ) => Promise<LogRecord>
  readonly signal: (name: NodeJS.Signals) => void
  /** Settles when the process has ended. */
  readonly exit: Promise<Exit>
}

function cleanEnvironment(added: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '', HOME = '/' } = process.env
  return { PATH, HOME, ...added }
}

function isReady(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const request = get({ port, host: '127.0.0.1', path: '/readyz', agent: false, timeout: 1_000 })
  request.on('response', (response) => {
    response.resume()
    resolve(response.statusCode === 200)
  })
  request.on('timeout', () => request.destroy())
  request.on('error', () => resolve(false))
  return promise
}

async function waitUntilReady(
  child: ManagedProcess,
  port: number,
  timeoutMs: number,
): Promise<void> {
  const check = async () => {
    if (!child.running) {
      const { code, signal } = await child.exit
      throw new Error(`the gateway ended before it was ready (${code ?? signal})\n${child.output}`)
    }
    return await isReady(port)
  }
  const describe = () => `the gateway did not become ready on port ${port}\n${child.output}`
  await pollUntil(check, { timeoutMs, intervalMs: 15, describe })
}

/**
 * Starts the built gateway and waits until it is ready; rejects with its output when it ends first
 * or takes too long. Disposed of, it gets SIGTERM, and SIGKILL when that isn't enough.
 */
export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const { config, env, args = [], script = builtGateway, timeoutMs = readyTimeoutMs } = options
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('gateway'))
  const prepared = config === undefined ? undefined : await prepareConfig(config, folder.path)
  const port = prepared?.port ?? Number(env?.PORT ?? (await freePort()))
  const listen = prepared === undefined ? { HOST: '127.0.0.1', PORT: String(port) } : {}
  const configArguments = prepared === undefined ? [] : ['--config', prepared.file]
  const log = new LogStream()
  const startedAtMs = performance.now()
  const child = new ManagedProcess({
    command: process.execPath,
    args: [script, 'start', ...configArguments, ...args],
    env: cleanEnvironment({ ...listen, ...env }),
    cwd: options.cwd ?? folder.path,
    onStdout: (text) => log.accept(text),
  })
  stack.defer(async () => void (await child.end('SIGTERM', options.graceMs)))
  await waitUntilReady(child, port, timeoutMs)
  const readyAfterMs = performance.now() - startedAtMs
  const kept = stack.move()
  return {
    ...{ port, url: `http://127.0.0.1:${port}`, pid: child.pid, readyAfterMs },
    get logs() {
      return log.records.items
    },
    get stdout() {
      return child.stdout
    },
    get stderr() {
      return child.stderr
    },
    waitForLog: (matches, limitMs) => log.records.waitFor(matches, limitMs),
    signal: (name) => child.signal(name),
    exit: child.exit,
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}

/** A command that has run to its end. */
export interface CommandResult extends Exit {
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** All arguments, such as `['check', 'tidegate.yaml']`. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Default: an empty folder. */
  readonly cwd?: string
  readonly script?: string
  /** After how long it is killed, in ms. Default 60000. */
  readonly timeoutMs?: number
}

/** Runs the gateway's command line to its end: for `check`, `--help`, and starts that must fail. */
export async function runGatewayCommand(options: CommandOptions): Promise<CommandResult> {
  const { args, env, script = builtGateway, timeoutMs = readyTimeoutMs } = options
  await using folder = await temporaryFolder('command')
  await using child = new ManagedProcess({
    command: process.execPath,
    args: [script, ...args],
    env: cleanEnvironment(env),
    cwd: options.cwd ?? folder.path,
  })
  const overdue = setTimeout(() => child.signal('SIGKILL'), timeoutMs)
  const exit = await child.exit
  clearTimeout(overdue)
  return { ...exit, stdout: child.stdout, stderr: child.stderr }
}
