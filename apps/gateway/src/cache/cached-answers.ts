import type { FactoryContext } from '@tidegate/cache'
import type { Recorder, Recording } from '@tidegate/events'
import type { Context } from 'hono'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { Outbound } from '../answers/outbound.ts'
import { type AnswerEnd, recordAnswer } from '../answers/record.ts'
import type { Answered } from '../answers/serve.ts'
import type { RouteCacheSettings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import { GatewayError } from '../problems.ts'
import { type Wishes, wishesOf } from './cache-control.ts'
import { standingOf } from './freshness.ts'
import { encodeAnswer, type KeptAnswer } from './kept-answer.ts'
import type { Recognised, Recogniser } from './recogniser.ts'
import type { ResponseCache } from './response-cache.ts'
import type { RouteCounts } from './route-counts.ts'
import { orSpare } from './spare.ts'
import { isWhole, keepTerms, type StoreRules } from './storable.ts'
import { callerTags } from './tags.ts'

/** What a route's kept answers are found and made with. */
export interface CachedAnswersParts {
  readonly outbound: Outbound
  readonly kept: ResponseCache
  readonly counts: RouteCounts
  readonly recogniser: Recogniser
  readonly settings: RouteCacheSettings
}

/** A request on its way to an answer that is kept, or will be. */
interface Asking {
  readonly c: Context<GatewayEnv>
  readonly body: Buffer | null
  readonly recognised: Recognised
  readonly wishes: Wishes
}

/** The answers of a route that keeps them: from the cache, of a call that is under way, or of a new one. */
export class CachedAnswers {
  readonly #parts: CachedAnswersParts
  readonly #rules: StoreRules
  readonly #tags: readonly string[]
  #alone = 0

  constructor(parts: CachedAnswersParts) {
    const { outbound, recogniser, settings } = parts
    const { match, primary } = outbound.route
    this.#parts = parts
    this.#rules = {
      protocol: primary.protocol,
      cache: settings,
      covers: (header) => recogniser.headers.covers(header),
    }
    this.#tags = [`route:${match}`]
  }

  /** At once where memory has a fresh one. */
  find(
    c: Context<GatewayEnv>,
    body: Buffer | null,
    recognised: Recognised,
  ): Answered | Promise<Answered> {
    const { headers } = c.env.incoming
    const wishes = wishesOf(headers['cache-control'], single(headers.pragma))
    const { kept } = this.#parts
    const known = wishes.noCache ? undefined : kept.peek(recognised.key)
    if (known !== undefined) {
      if (standingOf(known, kept.keptForMs(known), wishes) === 'fresh') return this.#hit(known)
    }
    return this.#look({ c, body, recognised, wishes })
  }

  async #look(asking: Asking): Promise<Answered> {
    const { recognised, wishes } = asking
    const { kept } = this.#parts
    const known = wishes.noCache ? undefined : await kept.find(recognised.key)
    const standing = known && standingOf(known, kept.keptForMs(known), wishes)
    if (known !== undefined && standing !== 'no' && standing !== 'spare') {
      if (standing === 'fresh') return this.#hit(known)
      if (standing === 'stale') void this.#refresh(asking, known)
      return this.#stale(known)
    }
    if (wishes.onlyIfCached) {
      throw new GatewayError('not_cached', 'No answer to this request is kept that may be served.')
    }
    const answered = await this.#fetch(asking)
    const spare = known !== undefined && standing === 'spare' ? known : undefined
    const isSpare = spare !== undefined && (await orSpare(answered.recording))
    if (isSpare) return this.#stale(spare)
    this.#parts.counts.count(answered.how.cache ?? 'miss')
    return answered
  }

  #hit(known: KeptAnswer): Answered {
    this.#parts.counts.count('hit', known.bytes, known.usage?.total)
    return this.#served(known, 'hit')
  }

  #stale(known: KeptAnswer): Answered {
    this.#parts.counts.count('stale', known.bytes, known.usage?.total)
    return this.#served(known, 'stale')
  }

  #served(known: KeptAnswer, cache: 'hit' | 'stale'): Answered {
    const ageSeconds = Math.floor(this.#parts.kept.keptForMs(known) / 1000)
    return { recording: known.recording, how: { cache, ageSeconds, usage: known.usage } }
  }

  /** The call that is under way, unless the client wants one of its own, or a new one. */
  async #fetch(asking: Asking): Promise<Answered> {
    const { recordings } = this.#parts.kept
    const { coalesce } = this.#parts.outbound.route
    const { key } = asking.recognised
    const options = { shared: coalesce?.cluster ?? false }
    if (coalesce !== undefined && !asking.wishes.noCache) {
      const claim = await recordings.claim(nameOf(key), options)
      if (claim.role === 'reader') {
        return { recording: claim.recording, how: { cache: 'coalesced' } }
      }
      if (claim.role === 'recorder') return await this.#lead(asking, claim.recorder)
    }
    this.#alone += 1
    const own = await recordings.claim(`${nameOf(key)} ${this.#alone}`)
    if (own.role !== 'recorder') throw new Error('A recording of its own has a name of its own.')
    return await this.#lead(asking, own.recorder)
  }

  async #lead(asking: Asking, recorder: Recorder<AnswerHead>): Promise<Answered> {
    await this.#record(asking, recorder, undefined)
    return { recording: recorder.recording, how: { cache: 'miss' } }
  }

  /** Fetches a new one behind a stale one that is served, unless somebody does already. */
  async #refresh(asking: Asking, known: KeptAnswer): Promise<void> {
    const { recordings } = this.#parts.kept
    const { coalesce } = this.#parts.outbound.route
    const name = `refresh ${nameOf(asking.recognised.key)}`
    const claim = await recordings.claim(name, {
      ...{ persist: true, shared: coalesce?.cluster ?? false },
    })
    if (claim.role === 'recorder') await this.#record(asking, claim.recorder, known)
  }

  /** Makes the call and keeps what comes of it. Resolves when the call has begun. */
  async #record(
    asking: Asking,
    recorder: Recorder<AnswerHead>,
    behind: KeptAnswer | undefined,
  ): Promise<void> {
    const { c, body, recognised } = asking
    const { outbound, kept } = this.#parts
    const tags = [...this.#tags, ...callerTags(c, recognised, this.#parts.settings.scope)]
    // Nobody pays for what nobody waits for.
    const options = behind === undefined ? {} : { background: true, tokens: undefined }
    await kept.make(recognised.key, async (context) => {
      const end = await recordAnswer(c, outbound, body, recorder, options)
      const usage = end.usage ?? behind?.usage
      return this.#keep(recorder.recording, { ...end, usage }, recognised.path, tags, context)
    })
  }

  /** What is to be stored of a call that is over; `undefined`: nothing. */
  #keep(
    recording: Recording<AnswerHead>,
    { usage }: AnswerEnd,
    path: string,
    tags: readonly string[],
    context: FactoryContext<Uint8Array>,
  ): Uint8Array | undefined {
    const { head } = recording
    if (recording.state !== 'complete' || head === undefined) return undefined
    if (recording.bytes > this.#parts.kept.maxAnswer) return undefined
    const terms = keepTerms(head, this.#rules)
    const body = terms && recording.whole()
    if (terms === undefined || body === undefined) return undefined
    if (!isWhole(head, body, this.#rules.protocol, path)) return undefined
    const encoded = encodeAnswer(recording, terms, usage)
    if (encoded === undefined) return undefined
    context.ttl(terms.freshMs)
    context.staleFor(Math.max(terms.staleMs, terms.errorMs))
    context.tag(...tags)
    this.#parts.counts.stored()
    return encoded
  }
}

/** The name of a call that is under way. */
function nameOf(key: string): string {
  return `answer ${key}`
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
