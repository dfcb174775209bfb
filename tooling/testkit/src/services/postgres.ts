import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../net/free-port.ts'
import { ManagedProcess } from '../process/child.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { pollUntil, withTimeout } from '../process/waiting.ts'
import { findProgram, requireProgram } from './binaries.ts'

const run = promisify(execFile)
const user = 'tidegate'
const startTimeoutMs = 30_000

export interface PostgresOptions {
  /** Settings of the server, such as `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Starts a server of its own even where `DATABASE_URL` names one: for tests that break it. */
  readonly own?: boolean
}

/** A real PostgreSQL. */
export interface PostgresServer extends AsyncDisposable {
  /** `postgresql://`, with user, password and database. */
  readonly url: string
  readonly port: number
  /** Whether it is the one `DATABASE_URL` names: shared, never stopped, holding others' data. */
  readonly external: boolean
  /** Runs a statement with `psql` and gives its rows, fields parted by `|`. */
  readonly query: (sql: string) => Promise<string>
  /** `SIGSTOP` hangs the server's main process, `SIGCONT` wakes it, `SIGKILL` crashes it. */
  readonly signal: (name: NodeJS.Signals) => void
  /** Ends the server; port and data stay. */
  readonly stop: () => Promise<void>
  /** Starts it again with the same data. */
  readonly start: () => Promise<void>
}

interface Account {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root: then the account that Debian's package makes is used. */
async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

async function runAs(account: Account | undefined, command: string, args: readonly string[]) {
  const path = process.env.PATH ?? ''
  await run(command, args, { ...account, cwd: '/', env: { PATH: path, LC_ALL: 'C' } })
}

async function query(url: string, sql: string): Promise<string> {
  const psql = await requireProgram({ programs: ['psql'], debianPackage: 'postgresql-client' })
  const args = ['--no-psqlrc', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1']
  const { stdout } = await run(psql, [...args, `--dbname=${url}`, `--command=${sql}`])
  return stdout.trimEnd()
}

function startupMessage(): Buffer {
  const protocol3 = Buffer.from([0, 3, 0, 0])
  const body = Buffer.from(`user\0${user}\0database\0postgres\0\0`)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(4 + protocol3.length + body.length)
  return Buffer.concat([length, protocol3, body])
}

/** Whether the server asks for a login; while it starts it answers with an error instead. */
async function asksForLogin(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(startupMessage())
    const answer = once(socket, 'data') as Promise<[Buffer]>
    const [bytes] = await withTimeout(answer, 1_000, () => 'PostgreSQL did not answer')
    return String.fromCharCode(bytes[0] ?? 0) === 'R'
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function initialise(
  binaries: string,
  data: string,
  password: string,
  account: Account | undefined,
): Promise<void> {
  await mkdir(data, { mode: 0o700 })
  const passwordFile = `${data}.password`
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (account !== undefined) {
    for (const path of [dirname(data), data, passwordFile]) {
      await chown(path, account.uid, account.gid)
    }
  }
  const login = ['--username', user, '--auth', 'scram-sha-256', '--pwfile', passwordFile]
  const quick = ['--encoding', 'UTF8', '--locale', 'C', '--no-sync']
  await runAs(account, join(binaries, 'initdb'), ['--pgdata', data, ...login, ...quick])
}

const quickSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  max_connections: '50',
}

async function launch(
  binaries: string,
  data: string,
  port: number,
  account: Account | undefined,
  settings: Readonly<Record<string, string>>,
): Promise<ManagedProcess> {
  const values = Object.entries({ ...quickSettings, ...settings, port: String(port) })
  const server = new ManagedProcess({
    command: join(binaries, 'postgres'),
    args: ['-D', data, ...values.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
    cwd: '/',
    ...(account === undefined ? {} : { runAs: account }),
  })
  const isReady = async () => {
    if (!server.running) throw new Error(`PostgreSQL ended at once.\n${server.output}`)
    return await asksForLogin(port)
  }
  try {
    const describe = () => `PostgreSQL did not become ready.\n${server.output}`
    await pollUntil(isReady, { timeoutMs: startTimeoutMs, describe })
    return server
  } catch (error) {
    await server.end('SIGKILL')
    throw error
  }
}

function externalPostgres(url: string): PostgresServer {
  const refuse = () => {
    throw new Error(
      'DATABASE_URL names a shared server: ask for { own: true } to signal or stop it',
    )
  }
  return {
    url,
    port: Number(new URL(url).port || 5432),
    external: true,
    query: (sql) => query(url, sql),
    signal: refuse,
    stop: async () => refuse(),
    start: async () => refuse(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/**
 * Starts PostgreSQL on 127.0.0.1 with a fresh data folder. Without settings it is the server that
 * `DATABASE_URL` names, where that is set. A missing program is installed for root, or else the
 * error names the command.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { settings = {}, own = false } = options
  const externalUrl = process.env.DATABASE_URL ?? ''
  const isPlain = Object.keys(settings).length === 0 && !own
  if (externalUrl !== '' && isPlain) return externalPostgres(externalUrl)
  const program = await requireProgram({ programs: ['postgres'], debianPackage: 'postgresql' })
  const binaries = dirname(findProgram(['initdb']) ?? program)
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('postgres'))
  const data = join(folder.path, 'data')
  const account = await serverAccount()
  const password = randomBytes(16).toString('hex')
  await initialise(binaries, data, password, account)
  const port = await freePort()
  const start = () => launch(binaries, data, port, account, settings)
  let server = await start()
  const kept = stack.move()
  const url = `postgresql://${user}:${password}@127.0.0.1:${port}/postgres`
  // SIGINT is PostgreSQL's fast shutdown: SIGTERM would wait for its clients.
  const stop = async () => void (await server.end('SIGINT', 10_000))
  return {
    ...{ url, port, external: false, stop },
    query: (sql) => query(url, sql),
    signal: (name) => server.signal(name),
    start: async () => {
      if (!server.running) server = await start()
    },
    [Symbol.asyncDispose]: async () => {
      await stop()
      await kept.disposeAsync()
    },
  }
}
