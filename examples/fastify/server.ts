import { isConfigError } from '@tidegate/config'
import { createLogger } from '@tidegate/logger'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

try {
  const config = readConfig(process.env)
  const logger = createLogger()
  const app = createApp(config, logger)
  logger.info({ address: await app.listen({ port: config.port }) }, 'listening')
  process.once('SIGTERM', () => void app.close())
  process.once('SIGINT', () => void app.close())
} catch (error) {
  if (!isConfigError(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
