import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { isConfigError } from '@tidegate/config'
import { isRedisError } from '@tidegate/redis'
import { createDrain, hardenServer, serverOptions } from '@tidegate/server/node'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'
import { openJournal } from './journal.ts'

try {
  const { port } = readConfig(process.env)
  const { log, close } = openJournal(process.env)
  const stopping = new AbortController()
  const server = createServer(serverOptions())
  hardenServer(server)
  const drain = createDrain(server)
  const app = createApp({ log, stopping: stopping.signal })
  server.on('request', getRequestListener(app.fetch))
  server.listen(port, () => console.info('listening', server.address()))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, async () => {
      // Streams would otherwise be waited for until the drain's time is over.
      stopping.abort()
      await drain.start()
      await close()
    })
  }
} catch (error) {
  if (!isConfigError(error) && !isRedisError(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
