import { isConfigError } from '@tidegate/config'
import { isRedisError } from '@tidegate/redis'
import { createApp, type User } from './app.ts'
import { readConfig } from './config.ts'
import { createLimits } from './limits.ts'

/** Stands for the place where keys are kept. */
const users = new Map<string, User>([
  ['demo-free-key', { id: 'ada', tier: 'free' }],
  ['demo-pro-key', { id: 'grace', tier: 'pro' }],
])

try {
  const { port, trustedProxies } = readConfig(process.env)
  const { limiter, close } = createLimits(process.env)
  const server = createApp({ limiter, users, trustedProxies }).listen(port, () =>
    console.info('listening', server.address()),
  )
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => server.close(() => void close()))
  }
} catch (error) {
  if (!isConfigError(error) && !isRedisError(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
