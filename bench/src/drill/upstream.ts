import { createServer, type Server, type Socket } from 'node:net'

/** What an endpoint does with connections and requests. */
export type Mode = 'good' | 'refuse' | 'hang' | 'flaky'

const BODY = JSON.stringify({
  id: 'chatcmpl-drill',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'drill',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
})
const GOOD = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`
const BAD =
  'HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\nbusy'

/** One endpoint that can be made to die in several ways while it is in use. */
export class DrillUpstream {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #thinkMs: number
  #port = 0
  mode: Mode = 'good'
  /** The share of requests that a flaky endpoint answers with 503. */
  faultRate = 0
  hits = 0

  constructor(thinkMs: number) {
    this.#thinkMs = thinkMs
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  }

  get port(): number {
    return this.#port
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(this.#port, '127.0.0.1', resolve)
    })
    const address = this.#server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
  }

  /** `refuse`: what is connected is cut, and nothing new can connect. */
  async become(mode: Mode): Promise<void> {
    const wasClosed = this.mode === 'refuse'
    this.mode = mode
    if (mode === 'refuse') {
      await this.close()
    } else if (wasClosed) {
      await this.open()
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy())
    let waiting = ''
    socket.setEncoding('latin1').on('data', (text) => {
      waiting += text
      for (let end = requestEnd(waiting); end > 0; end = requestEnd(waiting)) {
        waiting = waiting.slice(end)
        this.#answer(socket)
      }
    })
  }

  #answer(socket: Socket): void {
    this.hits += 1
    if (this.mode === 'hang') return
    const reply = this.mode === 'flaky' && Math.random() < this.faultRate ? BAD : GOOD
    setTimeout(() => socket.write(reply, 'latin1'), this.#thinkMs)
  }
}

/** Where the first whole request in `text` ends, 0 if none does. */
function requestEnd(text: string): number {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return 0
  const length = Number(/\ncontent-length: *(\d+)/i.exec(text.slice(0, head + 2))?.[1] ?? 0)
  const end = head + 4 + length
  return text.length >= end ? end : 0
}
