import type { FactoryContext, WarmItem } from '@tidegate/cache'
import type { Recorder, Recording } from '@tidegate/events'
import type { Context } from 'hono'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { Outbound } from '../answers/outbound.ts'
import { recordAnswer } from '../answers/record.ts'
import { isWhole } from '../answers/whole-answer.ts'
import { anonymous } from '../auth/identity.ts'
import type { RouteCacheSettings } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import { calledBy } from '../handlers/forward.ts'
import type { TokenUsage } from '../usage/reservation.ts'
import { encodeAnswer, type KeptAnswer } from './kept-answer.ts'
import { contextOf, encodeRequest, type KeptRequest } from './kept-request.ts'
import type { Recognised, Recogniser } from './recogniser.ts'
import type { ResponseCache } from './response-cache.ts'
import type { RouteCounts } from './route-counts.ts'
import { keepTerms, type StoreRules } from './storable.ts'
import { callerTags, requestsTag } from './tags.ts'

/** What a route's kept answers are found and made with. */
export interface CachedRoute {
  readonly outbound: Outbound
  readonly kept: ResponseCache
  readonly counts: RouteCounts
  readonly recogniser: Recogniser
  readonly settings: RouteCacheSettings
  /** Whether requests are kept, too, so that they can be made again when nobody asks. */
  readonly remembers: boolean
}

/** A request whose answer is to be made and kept. */
export interface ToMake {
  readonly c: Context<GatewayEnv>
  readonly body: Buffer | null
  readonly recognised: Recognised
}

/** Of a call that nobody waits for: nobody pays for it. */
const BEHIND = { background: true, tokens: undefined }

/** For how long a request is kept that nobody makes any more. */
const REMEMBERED = '7d'

/** Makes the answers of a route that keeps them, and keeps what may be kept of them. */
export class AnswerMaker {
  readonly #route: CachedRoute
  readonly #rules: StoreRules
  #warmed = 0

  constructor(route: CachedRoute) {
    const { outbound, recogniser, settings } = route
    this.#route = route
    this.#rules = {
      protocol: outbound.route.primary.protocol,
      cache: settings,
      covers: (header) => recogniser.headers.covers(header),
    }
  }

  /**
   * Makes the call and keeps what comes of it. Resolves when the call has begun. `behind`: what is served
   * meanwhile, so that nobody waits for it.
   */
  async make(
    request: ToMake,
    recorder: Recorder<AnswerHead>,
    behind: KeptAnswer | undefined,
    onOver: () => void,
  ): Promise<void> {
    const { c, body, recognised } = request
    const { outbound, kept, remembers } = this.#route
    const options = behind === undefined ? {} : BEHIND
    await kept.make(recognised.key, async (context) => {
      const end = await recordAnswer(c, outbound, body, recorder, options)
      onOver()
      const usage = end.usage ?? behind?.usage
      const encoded = this.#encode(recorder.recording, usage, request, context)
      if (encoded !== undefined && remembers) this.#remember(request)
      return encoded
    })
  }

  /**
   * A request to be made when nobody asks, for a warm-up. `mayCall`: asked before each call. `undefined`: its
   * answer couldn't be kept.
   */
  warmItem(request: KeptRequest, mayCall: () => boolean): WarmItem | undefined {
    const { outbound, recogniser, kept } = this.#route
    const { body } = request
    const recognised = recogniser.recognise(contextOf(request, outbound.route), body)
    if (recognised?.reuse !== 'keep') return undefined
    const load = async (context: FactoryContext): Promise<Uint8Array> => {
      if (!mayCall()) throw new Error('The budget is spent.')
      // Its time begins with its turn.
      const c = contextOf(request, outbound.route)
      this.#warmed += 1
      const name = `warm ${recognised.key} ${this.#warmed}`
      const claim = await kept.recordings.claim(name, { persist: true })
      if (claim.role !== 'recorder') throw new Error('A call of its own has a name of its own.')
      const { usage } = await recordAnswer(c, outbound, body, claim.recorder, BEHIND)
      const { recording } = claim.recorder
      const encoded = this.#encode(recording, usage, { c, body, recognised }, context)
      if (encoded === undefined) throw new Error('What was answered is not to be kept.')
      return encoded
    }
    return { key: recognised.key, load, options: { hardTimeout: kept.longestCallMs } }
  }

  /** Keeps a request, if it is the same without what only its client may say. */
  #remember({ c, body, recognised }: ToMake): void {
    const { kept, recogniser, outbound, settings } = this.#route
    const { target, rawHeaders } = c.env.incoming
    if (!target.ok) return
    const request: KeptRequest = {
      ...{ method: c.get('exchange').method, target: target.path + target.query, body },
      headers: [...recogniser.headers.lasting(rawHeaders), ...calledBy(c)],
      identity: settings.scope === 'public' ? anonymous : c.get('identity'),
    }
    const again = recogniser.recognise(contextOf(request, outbound.route), body)
    if (again?.key !== recognised.key) return
    const encoded = encodeRequest(request)
    if (encoded.length > kept.maxAnswer) return
    const tags = callerTags(c, settings.scope).map(requestsTag)
    // Without it nothing is warmed later, and that is all.
    kept.requests.set(recognised.key, encoded, { ttl: REMEMBERED, tags }).catch(() => {})
  }

  /** What is to be stored of a call that is over; `undefined`: nothing. */
  #encode(
    recording: Recording<AnswerHead>,
    usage: TokenUsage | undefined,
    { c, recognised }: ToMake,
    context: Pick<FactoryContext, 'ttl' | 'staleFor' | 'tag'>,
  ): Uint8Array | undefined {
    const { kept, counts, outbound, settings } = this.#route
    const { head } = recording
    if (recording.state !== 'complete' || head === undefined) return undefined
    if (recording.bytes > kept.maxAnswer) return undefined
    const terms = keepTerms(head, this.#rules)
    const body = terms && recording.whole()
    if (terms === undefined || body === undefined) return undefined
    if (!isWhole(head, body, this.#rules.protocol, recognised.path)) return undefined
    const encoded = encodeAnswer(recording, terms, usage)
    if (encoded === undefined) return undefined
    const { model } = recognised
    context.ttl(terms.freshMs)
    context.staleFor(Math.max(terms.staleMs, terms.errorMs))
    context.tag(`route:${outbound.route.match}`, ...callerTags(c, settings.scope))
    if (model !== undefined) context.tag(`model:${model}`)
    counts.stored()
    return encoded
  }
}
