import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { type ClientOptions, type RawData, WebSocket } from 'ws'

/** Opens a WebSocket; rejects when the handshake is refused. */
export async function openSocket(
  url: string,
  protocols: readonly string[] = [],
  options: ClientOptions = {},
): Promise<WebSocket> {
  const client = new WebSocket(url, [...protocols], options)
  await once(client, 'open')
  return client
}

/** The next message, as bytes, and whether it was binary. */
export async function nextMessage(client: WebSocket): Promise<{ data: Buffer; binary: boolean }> {
  const [data, binary] = (await once(client, 'message')) as [RawData, boolean]
  return { data: data as Buffer, binary }
}

/** How the connection ends: 1006 means without a close frame (RFC 6455 §7.1.5). */
export async function closeOf(client: WebSocket): Promise<{ code: number; reason: string }> {
  client.on('error', () => undefined)
  const [code, reason] = (await once(client, 'close')) as [number, Buffer]
  return { code, reason: reason.toString() }
}

/** The answer to a handshake that must be refused. */
export async function refusalOf(
  url: string,
  options: ClientOptions = {},
): Promise<{ status: number | undefined; headers: IncomingMessage['headers']; body: string }> {
  const client = new WebSocket(url, options)
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage]
  const body = Buffer.concat((await response.toArray()) as Buffer[]).toString()
  return { status: response.statusCode, headers: response.headers, body }
}
