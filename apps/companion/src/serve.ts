import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { hardenServer, serverOptions } from '@tidegate/server/node'
import type { Hono } from 'hono'
import type { CompanionEnv } from './env.ts'

/** How long a request's headers, and a whole request, may take to arrive. */
const LIMITS = { headersTimeoutMs: 15_000, requestTimeoutMs: 60_000 }

/** Node's HTTP server in front of the app, with the defences that stand before any handler. */
export function createCompanionServer(
  app: Hono<CompanionEnv>,
  onRefused: (reason: string, ip: string | undefined) => void,
): Server {
  const server = createServer(
    serverOptions(LIMITS),
    getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0]),
  )
  hardenServer(server, { onRefused })
  return server
}

/** Listens, and tells where: the port may have been any. */
export async function listen(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<string> {
  server.listen({ host: at.host, port: at.port })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : at.port
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return `http://${host}:${port}`
}
