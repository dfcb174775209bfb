import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { withTimeout } from '../process/waiting.ts'

/** A reply of Redis (RESP2). */
export type RedisReply = string | number | null | Error | readonly RedisReply[]

export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  /** Trusted authority, PEM; its presence means TLS. */
  readonly ca?: string
  readonly tls?: boolean
}

interface Parsed {
  readonly reply: RedisReply
  readonly end: number
}

function parseArray(bytes: Buffer, count: number, start: number): Parsed | null {
  const items: RedisReply[] = []
  let end = start
  for (let index = 0; index < count; index += 1) {
    const item = parseReply(bytes, end)
    if (item === null) return null
    items.push(item.reply)
    end = item.end
  }
  return { reply: items, end }
}

/** Reads one reply at `start`; `null` when it isn't all there. */
function parseReply(bytes: Buffer, start = 0): Parsed | null {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return null
  const kind = String.fromCharCode(bytes[start] ?? 0)
  const line = bytes.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  if (kind === '+') return { reply: line, end }
  if (kind === '-') return { reply: new Error(line), end }
  if (kind === ':') return { reply: Number(line), end }
  const length = Number(line)
  if (length < 0) return { reply: null, end }
  if (kind === '*') return parseArray(bytes, length, end)
  if (kind !== '$') throw new Error(`Redis sent an unknown reply: ${kind}${line}`)
  if (bytes.length < end + length + 2) return null
  return { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 }
}

function encode(command: readonly string[]): string {
  const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return `*${command.length}\r\n${words.join('')}`
}

function open({ host, port, ca, tls }: RedisAddress): { socket: Socket; ready: string } {
  if (ca === undefined && tls !== true) return { socket: connect(port, host), ready: 'connect' }
  return {
    socket: connectTls({ host, port, ...(ca === undefined ? {} : { ca }) }),
    ready: 'secureConnect',
  }
}

async function readReplies(socket: Socket, count: number): Promise<RedisReply[]> {
  const replies: RedisReply[] = []
  let rest = Buffer.alloc(0)
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer])
    for (let parsed = parseReply(rest); parsed !== null; parsed = parseReply(rest)) {
      replies.push(parsed.reply)
      rest = rest.subarray(parsed.end)
      if (replies.length === count) return replies
    }
  }
  throw new Error('Redis closed the connection')
}

/** Sends one command over a connection of its own. An error of Redis rejects. */
export async function sendRedisCommand(
  address: RedisAddress,
  command: readonly string[],
  timeoutMs = 5_000,
): Promise<RedisReply> {
  const { socket, ready } = open(address)
  const exchange = async () => {
    await once(socket, ready)
    const { username, password } = address
    const login = username === undefined ? [password ?? ''] : [username, password ?? '']
    const commands = password === undefined ? [command] : [['AUTH', ...login], command]
    socket.write(commands.map(encode).join(''))
    const replies = await readReplies(socket, commands.length)
    const failed = replies.find((reply) => reply instanceof Error)
    if (failed instanceof Error) throw failed
    return replies.at(-1) ?? null
  }
  try {
    return await withTimeout(exchange(), timeoutMs, () => 'Redis did not answer')
  } finally {
    socket.destroy()
  }
}
