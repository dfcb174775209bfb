import { once } from 'node:events'
import { isConfigError } from '@tidegate/config'
import { shutdownOnSignals } from '@tidegate/health'
import { connectRedis, isRedisError, redisSettingsFromEnv } from '@tidegate/redis'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

try {
  const { port, adminKey } = readConfig(process.env)
  const settings = redisSettingsFromEnv(process.env)
  const { app, shutdown } = createApp({ adminKey, redis: settings && connectRedis(settings) })
  const server = app.listen(port, '127.0.0.1', () =>
    console.info(`listening on ${JSON.stringify(server.address())}`),
  )
  // Most of the time is for those whose orders are under way.
  const drain = async () => {
    const closed = once(server, 'close')
    server.close()
    // Connections become idle one by one, and Node keeps those for a while.
    const sweeping = setInterval(() => server.closeIdleConnections(), 50)
    await closed
    clearInterval(sweeping)
  }
  shutdown.onClose('server', drain, { share: 10 })
  shutdownOnSignals(shutdown, process, {
    onSignal: () => console.info('draining'),
    onClosed({ faults }) {
      for (const { step, reason } of faults) console.error(`${step}: ${reason}`)
      process.exit(faults.length > 0 ? 1 : 0)
    },
    onSecond: (exitCode) => process.exit(exitCode),
  })
} catch (error) {
  if (!isConfigError(error) && !isRedisError(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
