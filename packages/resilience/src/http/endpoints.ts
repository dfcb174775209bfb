import { pickEndpoint } from '../core/balance.ts'
import { type DiscoveredEndpoint, type EndpointWatch, watchEndpoints } from './discovery.ts'
import { Endpoint } from './endpoint.ts'
import type { HttpClientOptions } from './options.ts'
import type { Settings } from './settle-options.ts'

/** All endpoints of a client, as listed or as found. */
export class EndpointSet {
  readonly #settings: Settings
  readonly #watch: EndpointWatch | undefined
  readonly #known = new Map<string, Endpoint>()
  /** By priority; an earlier one is used as long as any of it is usable. */
  #tiers: readonly (readonly Endpoint[])[] = []
  /** Those that are no longer used, and end with their last call. */
  readonly #retired = new Set<Endpoint>()
  #closed = false

  constructor({ baseUrls, refreshMs }: HttpClientOptions, settings: Settings) {
    this.#settings = settings
    if (typeof baseUrls !== 'function') {
      const listed = typeof baseUrls === 'string' ? [baseUrls] : baseUrls
      this.#replace(listed.map((one) => (typeof one === 'string' ? { url: one } : one)))
      return
    }
    this.#watch = watchEndpoints(baseUrls, {
      refreshMs,
      random: settings.random,
      onChange: (found) => this.#found(found),
      onError: (error) => settings.emit?.({ type: 'discovery_failed', error }),
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  get all(): readonly Endpoint[] {
    return [...this.#known.values()]
  }

  /** Waits for a first list where endpoints have to be found. */
  discover(): Promise<void> | undefined {
    return this.#known.size > 0 || this.#closed ? undefined : this.#watch?.refresh()
  }

  /** One that `suits`, by weight and by how busy they are. */
  pick(suits: (endpoint: Endpoint) => boolean): Endpoint | undefined {
    for (const tier of this.#tiers) {
      const picked = pickEndpoint(tier, suits, this.#settings.random)
      if (picked !== undefined) return picked
    }
    return undefined
  }

  /** Milliseconds until a breaker lets the next call through. */
  get retryAfterMs(): number {
    return Math.min(...this.all.map(({ breaker }) => breaker?.retryAfterMs ?? 0))
  }

  /** Lets calls under way end, for so many milliseconds at most, and begins no others. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true
    this.#watch?.close()
    this.#tiers = []
    const endpoints = [...this.all, ...this.#retired]
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise((resolve) => {
      timer = setTimeout(resolve, graceMs)
    })
    await Promise.race([Promise.all(endpoints.map((endpoint) => endpoint.retire())), grace])
    clearTimeout(timer)
    await Promise.all(endpoints.map(({ pool }) => pool.destroy()))
  }

  #found(targets: readonly DiscoveredEndpoint[]): void {
    this.#replace(targets)
    this.#settings.emit?.({ type: 'endpoints', endpoints: this.all.map(({ label }) => label) })
  }

  #replace(targets: readonly DiscoveredEndpoint[]): void {
    const wanted = new Map(targets.map((target) => [keyOf(target), target]))
    for (const [key, target] of wanted) {
      const known = this.#known.get(key)
      if (known === undefined) this.#known.set(key, new Endpoint(target, this.#settings))
      else known.weight = target.weight ?? 1
    }
    for (const [key, endpoint] of this.#known) if (!wanted.has(key)) this.#retire(key, endpoint)
    const tiers = Map.groupBy(wanted, ([, { priority = 0 }]) => priority)
    this.#tiers = [...tiers]
      .sort(([a], [b]) => a - b)
      .map(([, members]) => members.flatMap(([key]) => this.#known.get(key) ?? []))
  }

  #retire(key: string, endpoint: Endpoint): void {
    this.#known.delete(key)
    this.#retired.add(endpoint)
    endpoint.retire().then(() => this.#retired.delete(endpoint))
  }
}

function keyOf({ url, host = '' }: DiscoveredEndpoint): string {
  return `${url} ${host}`
}
