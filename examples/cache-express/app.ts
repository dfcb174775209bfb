import express, { type Express } from 'express'
import type { Products } from './products.ts'
import type { ShopCache } from './shop-cache.ts'

export interface AppParts {
  readonly cache: ShopCache
  readonly products: Products
}

/** A shop that asks its database once, however many want to know. */
export function createApp({ cache, products }: AppParts): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(express.json())

  const load = (id: string) =>
    cache.getOrSet(`product:${id}`, ({ signal }) => products.find(id, signal), {
      // What isn't there is remembered, too, but not for long.
      negativeTtl: '5s',
    })

  app.get('/products/:id', async (request, response) => {
    const product = await load(request.params.id)
    if (product === null) response.status(404).json({ error: 'There is no such product.' })
    else response.json(product)
  })

  app.put('/products/:id', async (request, response) => {
    const { id } = request.params
    const { name, price } = request.body as { readonly name?: unknown; readonly price?: unknown }
    if (typeof name !== 'string' || typeof price !== 'number') {
      response.status(400).json({ error: 'A product needs a name and a price.' })
      return
    }
    await products.save({ id, name, price })
    // After the database, and in every process: whoever asks from now on is told the new price.
    await cache.delete(`product:${id}`)
    response.status(204).end()
  })

  app.get('/cache/stats', async (_request, response) => {
    response.json({ ...cache.stats(), popular: await cache.popular(10) })
  })
  return app
}
