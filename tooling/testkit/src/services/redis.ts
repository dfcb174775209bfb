import { randomBytes } from 'node:crypto'
import { freePort } from '../net/free-port.ts'
import { ManagedProcess } from '../process/child.ts'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { pollUntil } from '../process/waiting.ts'
import { requireProgram } from './binaries.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { type RedisAddress, type RedisReply, sendRedisCommand } from './redis-wire.ts'

export interface RedisOptions {
  /** TLS only, with a certificate made for the occasion. */
  readonly tls?: boolean
  /** The password to ask for; `true` makes one up. */
  readonly password?: string | true
  /** More arguments of `redis-server`. */
  readonly args?: readonly string[]
  /** Starts a server of its own even where `REDIS_URL` names one: for tests that break it. */
  readonly own?: boolean
}

/** A real Redis. */
export interface RedisServer extends AsyncDisposable {
  /** `redis://` or `rediss://`, with the password. */
  readonly url: string
  readonly port: number
  readonly password: string | undefined
  readonly certificates: Certificates | undefined
  /** Whether it is the one `REDIS_URL` names: shared, never stopped, holding others' data. */
  readonly external: boolean
  /** Sends one command over a connection of its own; rejects with Redis's error. */
  readonly command: (...words: readonly string[]) => Promise<RedisReply>
  /** `SIGSTOP` hangs it, `SIGCONT` wakes it, `SIGKILL` crashes it. */
  readonly signal: (name: NodeJS.Signals) => void
  /** Hangs it: connections are taken, nothing is answered. */
  readonly pause: () => void
  readonly resume: () => void
  /** Crashes it, and resolves once it is gone. */
  readonly kill: () => Promise<void>
  /** Ends the server; the port stays its own. */
  readonly stop: () => Promise<void>
  /** Starts it again, on the same port and with empty memory. */
  readonly start: () => Promise<void>
}

const programs = ['redis-server', 'valkey-server']
const startTimeoutMs = 10_000

function externalRedis(url: string): RedisServer {
  const { hostname, port, username, password, protocol } = new URL(url)
  const address: RedisAddress = {
    host: hostname,
    port: Number(port || 6379),
    tls: protocol === 'rediss:',
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  }
  const refuse = () => {
    throw new Error('REDIS_URL names a shared server: ask for { own: true } to signal or stop it')
  }
  return {
    url,
    port: address.port,
    password: address.password,
    certificates: undefined,
    external: true,
    command: (...words) => sendRedisCommand(address, words),
    signal: refuse,
    pause: refuse,
    resume: refuse,
    kill: async () => refuse(),
    stop: async () => refuse(),
    start: async () => refuse(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function serverArguments(
  port: number,
  folder: string,
  certificates: Certificates | undefined,
  password: string | undefined,
): string[] {
  const listen =
    certificates === undefined
      ? ['--port', String(port)]
      : [
          ...['--port', '0', '--tls-port', String(port)],
          ...['--tls-cert-file', certificates.certFile, '--tls-key-file', certificates.keyFile],
          ...['--tls-ca-cert-file', certificates.caFile, '--tls-auth-clients', 'no'],
        ]
  const storage = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  return [...listen, ...storage, ...(password === undefined ? [] : ['--requirepass', password])]
}

async function launch(
  command: string,
  args: readonly string[],
  address: RedisAddress,
): Promise<ManagedProcess> {
  const server = new ManagedProcess({ command, args, env: { PATH: process.env.PATH ?? '' } })
  const answers = async () => {
    if (!server.running) throw new Error(`Redis ended at once.\n${server.output}`)
    const reply = sendRedisCommand(address, ['PING'], 1_000)
    return await reply.then((text) => text === 'PONG').catch(() => false)
  }
  try {
    const describe = () => `Redis did not become ready.\n${server.output}`
    await pollUntil(answers, { timeoutMs: startTimeoutMs, describe })
    return server
  } catch (error) {
    await server.end('SIGKILL')
    throw error
  }
}

/**
 * Starts Redis (or Valkey) on 127.0.0.1. A plain one is the server that `REDIS_URL` names, where it
 * is set. A missing program is installed for root, or else the error names the command.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { tls = false, args = [], own = false } = options
  const externalUrl = process.env.REDIS_URL ?? ''
  const isPlain = !tls && options.password === undefined && args.length === 0 && !own
  if (externalUrl !== '' && isPlain) return externalRedis(externalUrl)
  const program = await requireProgram({ programs, debianPackage: 'redis-server' })
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('redis'))
  const certificates = tls ? stack.use(await makeCertificates()) : undefined
  const password = options.password === true ? randomBytes(16).toString('hex') : options.password
  const port = await freePort()
  const address: RedisAddress = {
    host: '127.0.0.1',
    port,
    ...(password === undefined ? {} : { password }),
    ...(certificates === undefined ? {} : { ca: certificates.ca }),
  }
  const start = () =>
    launch(
      program,
      [...serverArguments(port, folder.path, certificates, password), ...args],
      address,
    )
  let server = await start()
  const kept = stack.move()
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  return {
    url: `${tls ? 'rediss' : 'redis'}://${login}127.0.0.1:${port}`,
    ...{ port, password, certificates, external: false },
    command: (...words) => sendRedisCommand(address, words),
    signal: (name) => server.signal(name),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    kill: async () => void (await server.end('SIGKILL')),
    stop: async () => void (await server.end()),
    start: async () => {
      if (!server.running) server = await start()
    },
    [Symbol.asyncDispose]: async () => {
      await server.end()
      await kept.disposeAsync()
    },
  }
}
