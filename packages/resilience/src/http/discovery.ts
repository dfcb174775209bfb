import { endpointUrl } from './setting-rules.ts'

/** A place where a service can be reached. */
export interface DiscoveredEndpoint {
  /** `http` or `https`, without credentials. */
  readonly url: string
  /** Its share of the calls relative to the others'. Above 0; default 1. */
  readonly weight?: number | undefined
  /**
   * Endpoints with a higher number are used only when none with a lower one is usable. Default 0.
   */
  readonly priority?: number | undefined
  /**
   * The name to ask for in `Host` and TLS, with its port where that isn't the protocol's own, where the
   * URL has an address in its place.
   */
  readonly host?: string | undefined
}

/** Finds a service's endpoints: from DNS, a registry, a file. */
export interface Discovery {
  (signal: AbortSignal): Promise<readonly DiscoveredEndpoint[]>
  /** How often it is worth asking, in milliseconds. */
  readonly refreshMs?: number
}

/** How {@link watchEndpoints} asks and tells. */
export interface WatchOptions {
  /** Time between two answers, in milliseconds, ± 10 %. Default: the discovery's own, else 30,000. */
  readonly refreshMs?: number | undefined
  /** How long one answer may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined
  /** Told each list that differs from the one before. */
  readonly onChange?: ((endpoints: readonly DiscoveredEndpoint[]) => void) | undefined
  /** Told why there was no new list. The last good one stays. */
  readonly onError?: ((error: unknown) => void) | undefined
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** A list of endpoints that is kept up to date. */
export interface EndpointWatch {
  /** The last good list; empty until there was one. */
  readonly endpoints: readonly DiscoveredEndpoint[]
  /** Asks now, or joins the asking under way. Resolves when it has ended, whichever way; never rejects. */
  refresh(): Promise<void>
  /** Stops asking. What is under way is aborted, and told to nobody. */
  close(): void
}

/** The least time between a failure and the next asking; doubled with each failure in a row. */
const FIRST_RETRY_MS = 500
/** A longer list is cut: each endpoint gets connections of its own. */
const MAX_ENDPOINTS = 256

/**
 * Asks a discovery at once and then again and again. When it fails, takes too long or finds nothing, the
 * last good list stays, and it is asked again sooner.
 */
export function watchEndpoints(discovery: Discovery, options: WatchOptions = {}): EndpointWatch {
  const { refreshMs = discovery.refreshMs ?? 30_000, timeoutMs = 10_000 } = options
  const random = options.random ?? Math.random
  let endpoints: readonly DiscoveredEndpoint[] = []
  let known = ''
  let failures = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let underWay: { readonly controller: AbortController; readonly done: Promise<void> } | undefined

  function refresh(): Promise<void> {
    if (closed) return Promise.resolve()
    if (underWay === undefined) {
      clearTimeout(timer)
      const controller = new AbortController()
      underWay = { controller, done: ask(controller) }
    }
    return underWay.done
  }

  async function ask(controller: AbortController): Promise<void> {
    try {
      const found = normalised(await answerOf(discovery, controller, timeoutMs))
      if (closed) return
      failures = 0
      take(found)
    } catch (error) {
      if (closed) return
      failures += 1
      tell(options.onError, error)
    } finally {
      underWay = undefined
      if (!closed) schedule()
    }
  }

  function take(found: readonly DiscoveredEndpoint[]): void {
    const identity = JSON.stringify(found)
    if (identity === known) return
    known = identity
    endpoints = found
    tell(options.onChange, found)
  }

  function schedule(): void {
    const retryMs = Math.min(refreshMs, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20))
    const delayMs = (failures === 0 ? refreshMs : retryMs) * (0.9 + 0.2 * random())
    // Who waits for a list calls refresh: the next asking alone keeps no process alive.
    timer = setTimeout(refresh, delayMs).unref()
  }

  refresh()
  return {
    get endpoints() {
      return endpoints
    },
    refresh,
    close: () => {
      closed = true
      clearTimeout(timer)
      underWay?.controller.abort(new Error('The watch was closed.'))
    },
  }
}

/** The discovery's answer, unless the time or the watch ends first, whatever it does with the signal. */
async function answerOf(
  discovery: Discovery,
  controller: AbortController,
  timeoutMs: number,
): Promise<readonly DiscoveredEndpoint[]> {
  const { signal } = controller
  const late = new Error(`The endpoints were not found within ${timeoutMs} ms.`)
  const timer = setTimeout(() => controller.abort(late), timeoutMs)
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      // Also what throws before it returns a promise rejects.
      Promise.resolve(signal).then(discovery).then(resolve, reject)
    })
  } finally {
    clearTimeout(timer)
  }
}

/** Each place once, in an order of its own, so that the same answer shuffled is the same list. */
function normalised(found: readonly DiscoveredEndpoint[]): readonly DiscoveredEndpoint[] {
  const byPlace = new Map<string, DiscoveredEndpoint>()
  for (const [index, { url, weight = 1, priority = 0, host }] of found.entries()) {
    const isUsable =
      endpointUrl(url, '').length === 0 &&
      weight > 0 &&
      Number.isFinite(weight) &&
      Number.isFinite(priority)
    if (!isUsable) {
      throw new Error(
        `Endpoint ${index} that was found is not usable: it needs an http(s) URL without credentials and query, a weight above 0 and a finite priority.`,
      )
    }
    const { href } = new URL(url)
    byPlace.set(`${href} ${host ?? ''}`, { url: href, weight, priority, host })
  }
  if (byPlace.size === 0) throw new Error('No endpoint was found.')
  return [...byPlace]
    .sort(([a, { priority: p = 0 }], [b, { priority: q = 0 }]) => p - q || (a < b ? -1 : 1))
    .slice(0, MAX_ENDPOINTS)
    .map(([, endpoint]) => endpoint)
}

/** An observer's own failure is not the watch's. */
function tell<T>(observer: ((value: T) => void) | undefined, value: T): void {
  try {
    observer?.(value)
  } catch {
    // Told once; nothing here depends on it.
  }
}
