import type { Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { deserialize, serialize } from 'bson'
import { listen, type TcpServer } from '../tcp.fixture.ts'

export type Said = Readonly<Record<string, unknown>>

export const standalone: Said = { isWritablePrimary: true, maxWireVersion: 25, ok: 1 }

/** A server that speaks OP_MSG and answers each command as told, byte by byte if wanted. */
export async function listenAsMongo(
  answer: (command: Said) => Said | undefined,
  { tls, bytewise = false }: { readonly tls?: TlsOptions; readonly bytewise?: boolean } = {},
): Promise<TcpServer> {
  return await listen((socket) => {
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 16 || received.length < received.readInt32LE(0)) return
      const said = answer(deserialize(received.subarray(21)))
      if (said !== undefined) reply(socket, received.readInt32LE(4), said, bytewise)
    })
  }, tls)
}

function reply(socket: Socket, to: number, said: Said, bytewise: boolean): void {
  const document = serialize(said)
  const head = Buffer.alloc(21)
  head.writeInt32LE(head.length + document.length, 0)
  head.writeInt32LE(99, 4)
  head.writeInt32LE(to, 8)
  head.writeInt32LE(2013, 12)
  const bytes = Buffer.concat([head, document])
  socket.setNoDelay(true)
  if (bytewise) for (const byte of bytes) socket.write(Buffer.of(byte))
  else socket.write(bytes)
}
