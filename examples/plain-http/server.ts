import { isConfigError } from '@tidegate/config'
import { createLogger } from '@tidegate/logger'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

try {
  const config = readConfig(process.env)
  const logger = createLogger()
  const server = createApp(config, logger)
  server.listen(config.port, () => logger.info({ address: server.address() }, 'listening'))
  process.once('SIGTERM', () => server.close())
  process.once('SIGINT', () => server.close())
} catch (error) {
  if (!isConfigError(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
