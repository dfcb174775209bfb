import { createServer, type Socket } from 'node:net'
import { keepPort } from '../../net/kept-port.ts'
import type { BsonDocument } from './bson.ts'
import { createCommandReader } from './messages.ts'

/**
 * How it answers: `up`; `slow`: after `delayMs`; `deaf`: it takes connections and commands and says
 * nothing; `wrong`: bytes that are no MongoDB; `error`: every command fails; `refuse`: nobody listens.
 */
export type MongoMode = 'up' | 'slow' | 'deaf' | 'wrong' | 'error' | 'refuse'

export interface MongoOptions {
  /** `up` by default. */
  readonly mode?: MongoMode
  /** How slow `slow` is; 1,000 by default. */
  readonly delayMs?: number
}

/** What answers a health check as MongoDB does: `hello`, `ping`, `buildInfo`, over its wire protocol. */
export interface MongoLookalike extends AsyncDisposable {
  /** `mongodb://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** The names of the commands that came, in order. */
  readonly commands: readonly string[]
  readonly behave: (mode: MongoMode) => Promise<void>
}

const greeting = {
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  connectionId: 1,
  minWireVersion: 0,
  maxWireVersion: 21,
  readOnly: false,
}

function answerTo(name: string, mode: MongoMode): BsonDocument {
  if (mode === 'error') {
    const errmsg = 'interrupted at shutdown'
    return { ok: 0, errmsg, code: 11_600, codeName: 'InterruptedAtShutdown' }
  }
  if (/^(hello|ismaster)$/i.test(name)) return { ...greeting, localTime: new Date(), ok: 1 }
  if (name === 'buildInfo') return { version: '7.0.0', versionArray: [7, 0, 0, 0], ok: 1 }
  if (name === 'ping' || name === 'endSessions') return { ok: 1 }
  const errmsg = `no such command: '${name}'`
  return { ok: 0, errmsg, code: 59, codeName: 'CommandNotFound' }
}

/** Starts it on 127.0.0.1. */
export async function startMongoLookalike(options: MongoOptions = {}): Promise<MongoLookalike> {
  const { delayMs = 1_000 } = options
  const commands: string[] = []
  let mode: MongoMode = 'up'

  const serve = (socket: Socket) => {
    const read = createCommandReader()
    const timers = new Set<NodeJS.Timeout>()
    socket.once('close', () => timers.forEach(clearTimeout))
    const receive = (chunk: Buffer) => {
      for (const { document, reply } of read(chunk)) {
        const name = Object.keys(document)[0] ?? ''
        commands.push(name)
        if (mode === 'deaf') continue
        if (mode === 'wrong') socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
        else if (mode === 'slow') {
          timers.add(setTimeout(() => socket.write(reply(answerTo(name, 'up'))), delayMs))
        } else socket.write(reply(answerTo(name, mode)))
      }
    }
    socket.on('data', (chunk) => {
      try {
        receive(chunk)
      } catch {
        // As MongoDB itself does with what it can't read.
        socket.destroy()
      }
    })
  }
  const listener = await keepPort(createServer(serve))
  const behave = async (next: MongoMode) => {
    mode = next
    await (next === 'refuse' ? listener.stop() : listener.start())
  }
  await behave(options.mode ?? 'up')
  return {
    ...{ url: `mongodb://127.0.0.1:${listener.port}`, port: listener.port, commands, behave },
    [Symbol.asyncDispose]: async () => await listener[Symbol.asyncDispose](),
  }
}
