import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { addContext, type Logger, withContext } from '@tidegate/logger'
import type { Config } from './config.ts'

/** A service that says where a parcel is. Every line logged during a request carries its id. */
export function createApp(config: Config, logger: Logger): Server {
  return createServer((request, response) => {
    withContext({ request_id: randomUUID(), method: request.method, path: request.url }, () => {
      const startedAt = performance.now()
      response.once('close', () => {
        const duration_ms = Math.round(performance.now() - startedAt)
        logger.info({ status_code: response.statusCode, duration_ms }, 'request')
      })
      answer(config, logger, request, response).catch((error: unknown) => {
        logger.error({ err: error }, 'request failed')
        if (!response.headersSent) response.writeHead(500)
        response.end()
      })
    })
  })
}

async function answer(
  { partnerKey }: Config,
  logger: Logger,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parcel = /^\/parcels\/([\w-]+)$/.exec(request.url ?? '')?.[1]
  if (parcel === undefined) {
    response.writeHead(404).end()
    return
  }
  // What only turns out on the way joins the context too, and the request's own line at the end.
  addContext({ parcel })
  const place = await askCarrier(logger, { authorization: `Bearer ${partnerKey.reveal()}` })
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ parcel, place }))
}

/** Stands for the call to another service: it logs what it sends, and the credential doesn't show. */
async function askCarrier(
  logger: Logger,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  logger.info({ call: { to: 'carrier', headers } }, 'asking the carrier')
  await new Promise((resolve) => setImmediate(resolve))
  return 'Hamburg'
}
