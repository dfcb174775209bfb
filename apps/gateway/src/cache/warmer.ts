import type { WarmItem, WarmResult } from '@tidegate/cache'
import type { Logger } from '@tidegate/logger'
import { covers, parseMatch } from '../config/route-match.ts'
import type { CacheSettings } from '../config/settings.ts'
import type { CachedAnswers } from './cached-answers.ts'
import { CallBudget } from './call-budget.ts'
import { decodeRequest, type KeptRequest } from './kept-request.ts'
import type { ResponseCache } from './response-cache.ts'

/** How a warm-up went, or is going. */
export interface WarmReport {
  readonly began_at: string
  readonly ended_at: string | null
  /** Fetched and kept. */
  readonly fetched: number
  /** Fetched in vain: the upstream failed, or its answer can't be kept. */
  readonly failed: number
  /** Fresh already, or being fetched for somebody. */
  readonly skipped: number
  /** Requests that no route would keep the answer of, or that are nobody's. */
  readonly refused: number
  /** Whether the budget was at its end before the list. */
  readonly out_of_budget: boolean
}

/** Upstreams have their clients to serve. */
const CONCURRENCY = 4

/** What a warm-up is made with. */
export interface WarmerParts {
  readonly kept: ResponseCache
  readonly settings: CacheSettings['warm']
  readonly logger: Logger
}

/** Fetches answers before somebody asks for them, one warm-up at a time, within a budget of calls. */
export class Warmer {
  readonly #parts: WarmerParts
  readonly #budget: CallBudget
  readonly #routes: { readonly match: string; readonly answers: CachedAnswers | undefined }[] = []
  readonly #abort = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #last: WarmReport | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(parts: WarmerParts) {
    this.#parts = parts
    this.#budget = new CallBudget(parts.settings.budget, parts.kept.now)
  }

  /** Whether requests are kept so that they can be made again. */
  get remembers(): boolean {
    const { atStart, every } = this.#parts.settings
    return atStart || every !== undefined
  }

  get report(): { last: WarmReport | null; budget_left: number } {
    return { last: this.#last ?? null, budget_left: this.#budget.left }
  }

  /** Makes a route known, in the order of routing. */
  add(match: string, answers: CachedAnswers | undefined): void {
    this.#routes.push({ match, answers })
  }

  /**
   * Warms at start and on schedule, as far as it is set to. `ready`: when the second tier can be asked; it may
   * reject.
   */
  begin(ready: Promise<unknown>): void {
    const { atStart, every } = this.#parts.settings
    const warm = (): void => void this.warmPopular().catch(() => {})
    const start = atStart ? warm : () => {}
    ready.then(start, start)
    if (every !== undefined) this.#timer = setInterval(warm, every).unref()
  }

  /** Fetches those that are popular and not fresh any more. */
  async warmPopular(): Promise<WarmReport> {
    const { kept, settings } = this.#parts
    const popular = await kept.cache.popular(settings.entries)
    const encoded = await kept.requests.getMany<Uint8Array>(popular.map(({ key }) => key))
    const known = encoded.flatMap((each) => (each === undefined ? [] : (decodeRequest(each) ?? [])))
    return await this.warm(known)
  }

  /** Fetches the answers to these requests that are not fresh. */
  warm(requests: readonly KeptRequest[]): Promise<WarmReport> {
    const run = this.#running.then(() => this.#warm(requests))
    this.#running = run.catch(() => {})
    return run
  }

  close(): void {
    clearInterval(this.#timer)
    this.#abort.abort()
  }

  async #warm(requests: readonly KeptRequest[]): Promise<WarmReport> {
    const { kept, logger } = this.#parts
    const began = new Date(kept.now()).toISOString()
    const items = requests.flatMap((request) => this.#item(request) ?? [])
    const refused = requests.length - items.length
    const tell = (progress: Omit<WarmResult, 'ended' | 'total'>, ended?: WarmResult['ended']) => {
      this.#last = {
        began_at: began,
        ended_at: ended === undefined ? null : new Date(kept.now()).toISOString(),
        ...{ fetched: progress.done, failed: progress.failed, skipped: progress.skipped, refused },
        out_of_budget: ended === 'budget',
      }
      return this.#last
    }
    tell({ done: 0, failed: 0, skipped: 0 })
    const result = await kept.cache.warm(items, {
      concurrency: CONCURRENCY,
      budget: { calls: this.#budget.left },
      onProgress: (progress) => tell(progress),
      signal: this.#abort.signal,
    })
    const report = tell(result, result.ended)
    logger.info({ ...report }, 'the cache is warm')
    return report
  }

  #item(request: KeptRequest): WarmItem | undefined {
    const [path = ''] = request.target.split('?', 1)
    const segments = path.split('/').slice(1)
    const route = this.#routes.find(({ match }) => {
      const parsed = parseMatch(match).match
      return parsed !== undefined && covers(parsed, { segments, open: false })
    })
    return route?.answers?.warmItem(request, () => this.#budget.take())
  }
}
