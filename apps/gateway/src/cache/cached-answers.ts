import type { FactoryContext, WarmItem } from '@tidegate/cache'
import type { Recorder, Recording } from '@tidegate/events'
import type { Context } from 'hono'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { Outbound } from '../answers/outbound.ts'
import { type AnswerEnd, recordAnswer } from '../answers/record.ts'
import type { Answered } from '../answers/serve.ts'
import { anonymous } from '../auth/identity.ts'
import type { RouteCacheSettings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import { GatewayError } from '../problems.ts'
import { type Wishes, wishesOf } from './cache-control.ts'
import { standingOf } from './freshness.ts'
import { encodeAnswer, type KeptAnswer } from './kept-answer.ts'
import { contextOf, encodeRequest, type KeptRequest } from './kept-request.ts'
import type { Recognised, Recogniser } from './recogniser.ts'
import type { ResponseCache } from './response-cache.ts'
import type { RouteCounts } from './route-counts.ts'
import { orSpare } from './spare.ts'
import { isWhole, keepTerms, type StoreRules } from './storable.ts'
import { callerTags, requestsTag } from './tags.ts'

/** What a route's kept answers are found and made with. */
export interface CachedAnswersParts {
  readonly outbound: Outbound
  readonly kept: ResponseCache
  readonly counts: RouteCounts
  readonly recogniser: Recogniser
  readonly settings: RouteCacheSettings
  /** Whether requests are kept, too, so that they can be made again when nobody asks. */
  readonly remembers: boolean
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
      if (claim.role === 'recorder') {
        return await this.#lead(asking, claim.recorder, this.#parts.kept.begun(nameOf(key)))
      }
    }
    this.#alone += 1
    const own = await recordings.claim(`${nameOf(key)} ${this.#alone}`)
    if (own.role !== 'recorder') throw new Error('A recording of its own has a name of its own.')
    return await this.#lead(asking, own.recorder)
  }

  async #lead(
    asking: Asking,
    recorder: Recorder<AnswerHead>,
    onOver: () => void = () => {},
  ): Promise<Answered> {
    await this.#record(asking, recorder, undefined, onOver)
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
    onOver: () => void = () => {},
  ): Promise<void> {
    const { c, body, recognised } = asking
    const { outbound, kept } = this.#parts
    const tags = [...this.#tags, ...callerTags(c, recognised, this.#parts.settings.scope)]
    // Nobody pays for what nobody waits for.
    const options = behind === undefined ? {} : { background: true, tokens: undefined }
    await kept.make(recognised.key, async (context) => {
      const end = await recordAnswer(c, outbound, body, recorder, options)
      onOver()
      const usage = end.usage ?? behind?.usage
      const made = this.#keep(recorder.recording, { ...end, usage }, recognised.path, tags, context)
      if (made !== undefined && this.#parts.remembers) this.#remember(asking)
      return made
    })
  }

  /**
   * The request to be made when nobody asks, for a warm-up. `mayCall`: told of each call. `undefined`: its
   * answer couldn't be kept.
   */
  warmItem(request: KeptRequest, mayCall: () => boolean): WarmItem | undefined {
    const { outbound, recogniser, kept, settings } = this.#parts
    const { body } = request
    const c = contextOf(request, outbound.route)
    const recognised = recogniser.recognise(c, body)
    if (recognised?.reuse !== 'keep') return undefined
    const { key, path } = recognised
    const tags = [...this.#tags, ...callerTags(c, recognised, settings.scope)]
    const load = async (context: FactoryContext): Promise<Uint8Array> => {
      if (!mayCall()) throw new Error('The budget is spent.')
      this.#alone += 1
      const claim = await kept.recordings.claim(`warm ${nameOf(key)} ${this.#alone}`, {
        persist: true,
      })
      if (claim.role !== 'recorder') throw new Error('A recording of its own has its own name.')
      const options = { background: true, tokens: undefined }
      const end = await recordAnswer(c, outbound, body, claim.recorder, options)
      const made = this.#keep(claim.recorder.recording, end, path, tags, context)
      if (made === undefined) throw new Error('What was answered is not to be kept.')
      return made
    }
    return { key, load, options: { hardTimeout: kept.longestCallMs } }
  }

  /** Keeps a request, if it is the same without what only its client may say. */
  #remember({ c, body, recognised }: Asking): void {
    const { kept, recogniser, outbound, settings } = this.#parts
    const { target, rawHeaders } = c.env.incoming
    if (!target.ok) return
    const request: KeptRequest = {
      ...{ method: c.get('exchange').method, target: target.path + target.query, body },
      headers: recogniser.headers.lasting(rawHeaders),
      identity: settings.scope === 'public' ? anonymous : c.get('identity'),
    }
    const again = recogniser.recognise(contextOf(request, outbound.route), body)
    if (again?.key !== recognised.key) return
    const encoded = encodeRequest(request)
    if (encoded.length > kept.maxAnswer) return
    const [, ...tags] = callerTags(c, { model: '-' }, settings.scope)
    kept.requests
      .set(recognised.key, encoded, {
        ttl: REMEMBERED,
        tags: tags.map(requestsTag),
      })
      .catch(() => {})
  }

  /** What is to be stored of a call that is over; `undefined`: nothing. */
  #keep(
    recording: Recording<AnswerHead>,
    { usage }: AnswerEnd,
    path: string,
    tags: readonly string[],
    context: Pick<FactoryContext, 'ttl' | 'staleFor' | 'tag'>,
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

/** For how long a request is kept that nobody makes any more. */
const REMEMBERED = '7d'

/** The name of a call that is under way. */
function nameOf(key: string): string {
  return `answer ${key}`
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
