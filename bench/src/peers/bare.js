import { createServer } from 'node:http'
import { Pool } from 'undici'

// The limit of the runtime: everything a forwarding server in Node can't do without, and nothing
// else. Frozen: a faster gateway must not be answered with a slower yardstick, nor the reverse.
const pool = new Pool(`http://127.0.0.1:${process.env.UPSTREAM_PORT}`, {
  connections: Number(process.env.CONNECTIONS),
})

const server = createServer((request, response) => {
  const { method = 'GET', url = '/' } = request
  pool.dispatch(
    {
      method: /** @type {import('undici').Dispatcher.HttpMethod} */ (method),
      path: url,
      headers: request.rawHeaders,
      body: method === 'GET' ? null : request,
    },
    {
      onRequestStart: () => undefined,
      onResponseStart: (controller, status) => {
        const raw = /** @type {Buffer[]} */ (controller.rawHeaders)
        response.writeHead(
          status,
          raw.map((field) => field.toString('latin1')),
        )
      },
      onResponseData: (controller, data) => {
        if (response.write(data)) return
        controller.pause()
        response.once('drain', () => controller.resume())
      },
      onResponseEnd: () => response.end(),
      onResponseError: (_controller, error) => response.destroy(error),
    },
  )
})

server.listen(Number(process.env.PORT), '127.0.0.1')
process.once('SIGTERM', () => process.exit())
