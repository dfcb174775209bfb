import { connect, type Socket } from 'node:net'
import { ManagedProcess } from '../process/child.ts'
import { withTimeout } from '../process/waiting.ts'

/** An address on which somebody listens and nobody answers. */
export interface DeafListener extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

/** Listens with the shortest queue there is, tells its port and stops itself before it accepts anything. */
const script = `
const server = require('node:net').createServer()
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port) + '\\n')
  process.kill(process.pid, 'SIGSTOP')
})`

/** More than the queue takes: whoever comes after them is not even refused. */
const callers = 8
const queued = 2

/**
 * Starts a listener to which no connection can be made: its queue is full and its process stopped, so the
 * system drops every further attempt in silence.
 */
export async function startDeafListener(): Promise<DeafListener> {
  const { promise: told, resolve: tell } = Promise.withResolvers<number>()
  const listener = new ManagedProcess({
    command: process.execPath,
    args: ['-e', script],
    env: {},
    onStdout: (text) => tell(Number(text)),
  })
  const port = await withTimeout(told, 10_000, () => 'the listener did not tell its port')
  const sockets = Array.from({ length: callers }, () =>
    connect({ host: '127.0.0.1', port }).on('error', () => undefined),
  )
  await withTimeout(connections(sockets, queued), 10_000, () => 'the queue did not fill')
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      listener.signal('SIGKILL')
      await listener.exit
    },
  }
}

function connections(sockets: readonly Socket[], wanted: number): Promise<void> {
  return new Promise((resolve) => {
    let made = 0
    for (const socket of sockets) {
      socket.once('connect', () => {
        made += 1
        if (made === wanted) resolve()
      })
    }
  })
}
