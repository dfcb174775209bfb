import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { hardenServer, serverOptions } from '@tidegate/server/node'
import type { Hono } from 'hono'
import type { ServerSettings } from './config/settings.ts'
import type { GatewayEnv } from './env.ts'
import { nodeApp } from './node-app.ts'
import { GatewayRequest } from './request.ts'

/** Node's HTTP server in front of the app: limits, handshakes and `Expect`, and then one listener. */
export function createGatewayServer(
  app: Hono<GatewayEnv>,
  settings: ServerSettings,
  onRefused: (reason: string, ip: string | undefined) => void,
): Server {
  const respond = nodeApp(app.fetch)
  const listener = (incoming: GatewayRequest, outgoing: ServerResponse): void => {
    incoming.admit()
    void respond(incoming, outgoing)
  }
  const options = {
    ...serverOptions({ headersTimeoutMs: settings.timeouts.headers, requestTimeoutMs: 0 }),
    IncomingMessage: GatewayRequest,
    // Judged by the pipeline, which answers in words.
    requireHostHeader: false,
    // A pipe to an upstream that speaks WebSocket only: other upgrades are ignored (RFC 9110 §7.8).
    shouldUpgradeCallback: (incoming: IncomingMessage) =>
      incoming.headers.upgrade?.toLowerCase() === 'websocket',
  }
  const server =
    settings.tls === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...settings.tls }, listener)
  server.on('checkContinue', (incoming: GatewayRequest, outgoing: ServerResponse) => {
    incoming.expectsContinue = true
    listener(incoming, outgoing)
  })
  server.on('upgrade', (incoming: GatewayRequest, socket: Duplex, head: Buffer) => {
    listener(incoming, handshakeResponse(incoming, socket, head))
  })
  hardenServer(server, {
    keepAliveMs: settings.keepAlive,
    maxConnections: settings.maxConnections,
    unreadMs: settings.timeouts.write,
    onRefused,
  })
  return server
}

/**
 * A handshake passes the same pipeline as any request: it gets an ordinary response object, through
 * which a refusal leaves; what is accepted takes the bare connection over.
 */
function handshakeResponse(incoming: GatewayRequest, socket: Duplex, head: Buffer): ServerResponse {
  incoming.upgraded = { socket, head }
  socket.on('error', () => socket.destroy())
  const outgoing = new ServerResponse(incoming)
  outgoing.shouldKeepAlive = false
  outgoing.assignSocket(socket as Socket)
  outgoing.once('finish', () => {
    outgoing.detachSocket(socket as Socket)
    socket.end()
    outgoing.emit('close')
  })
  socket.once('close', () => {
    if (!outgoing.writableEnded && outgoing.socket !== null) outgoing.emit('close')
  })
  return outgoing
}
