import {
  clientSettingsFromEnv,
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
} from '@tidegate/resilience/http'
import { z } from 'zod'

const Stock = z.object({ article: z.string(), pieces: z.int().nonnegative() })
export type Stock = z.infer<typeof Stock>

/** The client of a warehouse with several replicas; the rest of its settings come from the environment. */
export function createWarehouse(
  replicas: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  options: Partial<HttpClientOptions> = {},
): HttpClient {
  const settings = clientSettingsFromEnv(env, { profile: 'development' })
  return createHttpClient({ ...settings, baseUrls: replicas, ...options })
}

/** How many there are. What a replica answers is checked before anybody works with it. */
export async function stockOf(warehouse: HttpClient, article: string): Promise<Stock> {
  const path = `/stock/${encodeURIComponent(article)}`
  const { data } = await warehouse.get(path, { schema: Stock, dedupe: true })
  return data
}

/** The same for many, four at a time. An article that fails leaves the others alone. */
export async function stocksOf(
  warehouse: HttpClient,
  articles: readonly string[],
): Promise<readonly (Stock | undefined)[]> {
  const requests = articles.map((article) => ({
    path: `/stock/${encodeURIComponent(article)}`,
    schema: Stock,
  }))
  const results = await warehouse.batch(requests, { concurrency: 4 })
  return results.map((result) => (result.ok ? result.value.data : undefined))
}
