import {
  type RedisConnectCode,
  RedisConnectError,
  RedisError,
  RedisInterruptedError,
  RedisReplyError,
  RedisTimeoutError,
  RedisUnavailableError,
} from './errors.ts'

interface RawError extends Error {
  readonly code?: string
  readonly address?: string
  readonly port?: number
  readonly lastNodeError?: unknown
}

// Redis says so when it asks for a password and gets none or a wrong one.
const refusedLogin = /^(WRONGPASS|NOAUTH|ERR invalid (username-)?password|ERR AUTH)/
const untrusted =
  /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/
const neverSent =
  /^(Stream isn't writeable|Cluster isn't ready|Cluster is ended|None of startup nodes|Failed to refresh slots|Too many Cluster redirections|No subscriber)/

const remedies: Readonly<Record<RedisConnectCode, string>> = {
  connection_failed: 'Check that it runs there and can be reached.',
  tls_failed: 'Check that it speaks TLS, and the authority (ca) and name of its certificate.',
  auth_failed: 'Check the username and the password.',
}

/** Why a connection failed, in this package's words. `where` names the target. */
export function connectError(error: unknown, where: string): RedisConnectError {
  const raw = innermost(error)
  const code = connectCode(raw)
  const at = raw.address === undefined ? where : nodeName(raw.address, raw.port)
  const message = `No connection to Redis at ${at}: ${wording(raw)}. ${remedies[code]}`
  return new RedisConnectError(code, message, { cause: bare(raw) })
}

/** A command's failure, in this package's words. */
export function commandError(
  error: unknown,
  command: string,
  where: string,
  limitMs: number,
): RedisError {
  if (error instanceof RedisError) return error
  const raw = error instanceof Error ? (error as RawError) : new Error(String(error))
  const name = command.toUpperCase()
  if (raw.name === 'ReplyError') {
    return new RedisReplyError(`Redis refused ${name}: ${replyText(raw)}`, firstWord(raw.message))
  }
  if (raw.message === 'Command timed out') {
    const message = `Redis at ${where} did not answer ${name} within ${limitMs} ms; it may have run.`
    return new RedisTimeoutError(message, limitMs)
  }
  if (neverSent.test(raw.message)) {
    const message = `${name} was not sent: there is no connection to Redis at ${where}.`
    return new RedisUnavailableError(message, { cause: bare(raw) })
  }
  const message = `The connection to Redis at ${where} broke before ${name} was answered; it may have run.`
  return new RedisInterruptedError(message, { cause: bare(raw) })
}

/** A Cluster says only that all nodes failed; why is in the last node's error. */
function innermost(error: unknown): RawError {
  if (!(error instanceof Error)) return new Error(String(error))
  const { lastNodeError } = error as RawError
  return lastNodeError instanceof Error ? innermost(lastNodeError) : error
}

function connectCode({ code = '', message }: RawError): RedisConnectCode {
  if (refusedLogin.test(message)) return 'auth_failed'
  return untrusted.test(code) ? 'tls_failed' : 'connection_failed'
}

function wording(raw: RawError): string {
  if (raw.name === 'ReplyError') return replyText(raw)
  if (raw.message === 'Command timed out') return 'it takes connections but does not answer'
  if (raw.message === '') return raw.code ?? raw.name
  return raw.message.replace(/\.$/, '')
}

/** Redis repeats the arguments of a command it doesn't know; they are nobody else's business. */
function replyText({ message }: Error): string {
  return message.replace(/[,;] with args beginning with:.*$/s, '').replace(/\.\s*$/, '')
}

function firstWord(message: string): string {
  return /^[A-Z]+/.exec(message)?.[0] ?? 'ERR'
}

/** The error without what ioredis hangs on it: the command and its arguments, a password among them. */
function bare(raw: RawError): Error {
  const plain = new Error(replyText(raw))
  plain.name = raw.name
  return raw.code === undefined ? plain : Object.assign(plain, { code: raw.code })
}

function nodeName(host: string, port: number | undefined): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === undefined ? name : `${name}:${port}`
}
