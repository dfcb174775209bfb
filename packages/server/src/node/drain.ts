import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { TLSSocket, Server as TlsServer } from 'node:tls'

/** How a server is drained. */
export interface DrainOptions {
  /**
   * Time between turning unready and refusing connections: as long as it takes until nobody sends
   * requests here any more. Default 0 ms.
   */
  readonly delayMs?: number
  /** Time for open requests and sockets to finish after that. Default 30 000 ms. */
  readonly timeoutMs?: number
  /** Called as each phase begins. */
  readonly onPhase?: (phase: DrainPhase) => void
}

/** Where a server stands: it serves; it is unready but still accepts; it only finishes; it is done. */
export type DrainPhase = 'serving' | 'unready' | 'finishing' | 'drained'

/** How draining ended. */
export interface DrainResult {
  /** Connections that were cut off because they did not finish in time: 0 after a clean end. */
  readonly destroyed: number
  /** True when `abort()` ended it. */
  readonly aborted: boolean
}

/** The way a server is taken out of service. */
export interface Drain {
  readonly phase: DrainPhase
  /** For the readiness probe: false from the start of draining on. */
  readonly ready: boolean
  /** Registers a connection that left HTTP (an upgraded one), to be waited for like a request. */
  readonly track: (socket: Duplex) => void
  /** Drains: not ready → delay → no new connections → finish what is open. Later calls join the first. */
  readonly start: () => Promise<DrainResult>
  /** Cuts everything off at once, started or not: for a second signal. */
  readonly abort: () => Promise<DrainResult>
}

// Connections become idle one by one while others finish; Node closes idle ones only when asked.
const SWEEP_MS = 50

/**
 * Prepares a server to be drained. Make it before the server listens, so that it knows all
 * connections. While draining, each response says `connection: close`; idle connections and those that
 * never sent a byte are closed as soon as no new ones are accepted.
 */
export function createDrain(server: Server, options: DrainOptions = {}): Drain {
  const drain = new ServerDrain(server, options)
  return {
    get phase() {
      return drain.phase
    },
    get ready() {
      return drain.phase === 'serving'
    },
    track: (socket) => drain.track(socket),
    start: () => drain.start(),
    abort: () => drain.abort(),
  }
}

class ServerDrain {
  phase: DrainPhase = 'serving'
  readonly #server: Server
  readonly #options: DrainOptions
  readonly #open = new Set<Duplex>()
  readonly #result = Promise.withResolvers<DrainResult>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #sweeper: ReturnType<typeof setInterval> | undefined
  #cutting = false

  constructor(server: Server, options: DrainOptions) {
    this.#server = server
    this.#options = options
    // Under TLS the plain connection below reads nothing of its own, so it would look unused.
    const event = server instanceof TlsServer ? 'secureConnection' : 'connection'
    server.on(event, (socket: Socket) => this.track(socket))
  }

  track(socket: Duplex): void {
    if (socket.destroyed || this.#open.has(socket)) return
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#endIfDone()
    })
  }

  start(): Promise<DrainResult> {
    if (this.phase !== 'serving') return this.#result.promise
    this.#enter('unready')
    this.#server.prependListener('request', closeAfterResponse)
    this.#server.prependListener('checkContinue', closeAfterResponse)
    this.#timer = setTimeout(() => this.#finish(), this.#options.delayMs ?? 0)
    return this.#result.promise
  }

  abort(): Promise<DrainResult> {
    if (this.phase !== 'drained' && !this.#cutting) {
      this.#stopAccepting()
      void this.#cutOff(true)
    }
    return this.#result.promise
  }

  #finish(): void {
    this.#enter('finishing')
    this.#stopAccepting()
    this.#sweep()
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#timer = setTimeout(() => void this.#cutOff(false), this.#options.timeoutMs ?? 30_000)
    this.#endIfDone()
  }

  #stopAccepting(): void {
    if (this.#server.listening) this.#server.close()
  }

  #sweep(): void {
    this.#server.closeIdleConnections()
    // To Node a connection that never asked anything isn't idle: it would hold the end up.
    for (const socket of this.#open) if (isUnused(socket)) socket.destroy()
  }

  async #cutOff(aborted: boolean): Promise<void> {
    this.#cutting = true
    clearTimeout(this.#timer)
    clearInterval(this.#sweeper)
    const cut = [...this.#open]
    const closed = cut.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of cut) reset(socket)
    await Promise.all(closed)
    // Whoever follows a connection hears of its end, and lets go of what hung on it, only after that.
    await nextTurn()
    await nextTurn()
    this.#end({ destroyed: cut.length, aborted })
  }

  #endIfDone(): void {
    if (this.phase === 'finishing' && !this.#cutting && this.#open.size === 0) {
      this.#end({ destroyed: 0, aborted: false })
    }
  }

  #end(result: DrainResult): void {
    clearTimeout(this.#timer)
    clearInterval(this.#sweeper)
    this.#enter('drained')
    this.#result.resolve(result)
  }

  #enter(phase: DrainPhase): void {
    this.phase = phase
    this.#options.onPhase?.(phase)
  }
}

/** An RST where the connection has one: no reader can take what came for the whole. */
function reset(socket: Duplex): void {
  if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
  else socket.destroy()
}

function isUnused(socket: Duplex): boolean {
  return (socket as Partial<Socket>).bytesRead === 0
}

function closeAfterResponse(_request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false
}
