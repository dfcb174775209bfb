import { isConfigError } from '@tidegate/config'
import { isRedisError } from '@tidegate/redis'
import { createApp } from './app.ts'
import { readConfig } from './config.ts'
import { slowProducts } from './products.ts'
import { openShopCache } from './shop-cache.ts'

const products = slowProducts(
  [
    { id: 'lamp', name: 'Desk lamp', price: 39 },
    { id: 'chair', name: 'Office chair', price: 199 },
  ],
  300,
)

try {
  const { port } = readConfig(process.env)
  const { cache, close } = openShopCache(process.env)
  const server = createApp({ cache, products }).listen(port, () =>
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
