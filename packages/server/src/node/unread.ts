import type { OutgoingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'

/** What Node keeps on a connection and doesn't document: the response in progress, and the parser. */
interface HttpSocket {
  readonly _httpMessage?: OutgoingMessage | null
  readonly parser?: object | null
}

/**
 * Ends connections whose client no longer takes its answer, which Node by itself would keep for as long
 * as the kernel does: those where nothing of a pending answer is read for `unreadMs`, and those of a
 * client that said its last (FIN) before it had its answer.
 */
export function endUnread(server: Server, unreadMs: number): void {
  server.timeout = unreadMs
  server.on('timeout', (socket: Socket & HttpSocket) => {
    // Without a parser it has left HTTP; with an empty queue the client waits, and we are the slow ones.
    const idle = !socket._httpMessage
    if (socket.parser && (idle || socket.writableLength > 0)) socket.destroy()
  })
  const event = server instanceof TlsServer ? 'secureConnection' : 'connection'
  server.on(event, (socket: Socket & HttpSocket) => {
    socket.on('end', () => {
      if (socket._httpMessage?.writableEnded === false) socket.destroy()
    })
  })
}
