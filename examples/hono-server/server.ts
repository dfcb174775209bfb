import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { isConfigError } from '@tidegate/config'
import { createLogger } from '@tidegate/logger'
import { createDrain, hardenServer, serverOptions } from '@tidegate/server/node'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

try {
  const settings = readConfig(process.env)
  const logger = createLogger({ profile: settings.profile })
  const server = createServer(serverOptions())
  hardenServer(server, { onRefused: (reason) => logger.warn({ reason }, 'connection refused') })
  const drain = createDrain(server, { timeoutMs: 10_000 })
  const app = createApp({ settings, logger, ready: () => drain.ready })
  server.on('request', getRequestListener(app.fetch))
  server.listen(settings.config.port, () => logger.info({ address: server.address() }, 'listening'))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, async () => {
      await drain.start()
      await logger.close()
    })
  }
} catch (error) {
  if (!isConfigError(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
